import { readFile } from 'node:fs/promises'
import type { Endpoints } from '@carillon/system'

/** The provider's HTTP API, as an app's back end or the app itself calls it. */
export class ProviderClient {
  readonly #url: string
  readonly #apiKey: string

  private constructor(url: string, apiKey: string) {
    this.#url = url
    this.#apiKey = apiKey
  }

  static async of({ provider }: Endpoints): Promise<ProviderClient> {
    return new ProviderClient(provider.url, (await readFile(provider.apiKeyFile, 'utf8')).trim())
  }

  async call<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#apiKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as T & { detail?: string; title?: string }
    if (response.ok) return answer
    throw new Error(
      `${method} ${path} was answered with ${response.status}: ${answer.detail ?? answer.title ?? ''}`,
    )
  }
}
