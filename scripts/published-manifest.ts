/** A package.json of this repository. */
export interface Manifest {
  name: string
  bin?: Record<string, string>
  exports?: Record<string, string>
  [key: string]: unknown
}

/** In the repository everything runs from `src`; what is published runs from the files beside its package.json. */
export function publishedManifest(manifest: Manifest): Manifest {
  const { files: _files, scripts: _scripts, bin, ...rest } = manifest
  const built = Object.entries(manifest.exports ?? {}).map(([path, source]) => {
    const file = source.replace(/^\.\/src\//, './').replace(/\.ts$/, '')
    return [path, { types: `${file}.d.ts`, default: `${file}.js` }]
  })
  return {
    ...rest,
    ...(built.length > 0 ? { exports: Object.fromEntries(built) } : {}),
    ...(bin ? { bin: Object.fromEntries(Object.keys(bin).map((name) => [name, './main.js'])) } : {}),
  }
}
