import {
  type IssuedCertificate,
  type PushCertificateKind,
  pushCertificateKinds,
} from '@carillon/portal/operations'
import { Option } from 'commander'
import { command, group } from '../../command.ts'
import { inFolder, prepareFolder, readNamedFile, writeNamedFile } from '../../files.ts'
import { withPortal } from '../../portal-access.ts'

interface CreateOptions {
  data: string
  bundleId: string
  kind: PushCertificateKind
  csr?: string
  keyType: 'rsa' | 'p256'
  p12Password?: string
  out: string
}

// RSA by default: several older client libraries read no other kind of key from a PEM file.
const create = command<CreateOptions>(
  'create',
  'Issue a push certificate, for a signing request or with a key made here.',
  'carillon portal cert create --data ./data --bundle-id com.example.app --kind universal --out ./certs',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const { bundleId, kind } = options
      const request = options.csr
        ? { csrPem: (await readNamedFile('--csr', options.csr)).toString('utf8') }
        : { keyType: options.keyType, ...(options.p12Password ? { p12Password: options.p12Password } : {}) }
      await prepareFolder(options.out)
      const issued = await portal.certificates.create({ bundleId, kind, ...request })
      const files = await writeFiles(options.out, issued)
      const password = issued.p12Password === undefined ? {} : { p12Password: issued.p12Password }
      output.result(
        { serial: issued.serial, ...files, ...password, bundleId, kind, notAfter: issued.notAfter },
        [
          `Push certificate ${issued.serial} for ${bundleId} (${kind}), valid until ${dateOf(issued.notAfter)}`,
          ...Object.entries(files).flatMap(([name, file]) => (file ? [`  ${name.padEnd(8)}  ${file}`] : [])),
          ...(issued.p12Password === undefined ? [] : [`  password of the .p12: ${issued.p12Password}`]),
        ].join('\n'),
      )
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--bundle-id <id>', 'an App ID with push')
  .addOption(new Option('--kind <kind>', 'environment').choices(pushCertificateKinds).makeOptionMandatory())
  .option('--csr <file>', 'certificate signing request, PEM; without it the key is made here')
  .addOption(new Option('--key-type <type>', 'kind of key made here').choices(['rsa', 'p256']).default('rsa'))
  .option('--p12-password <password>', 'protects the .p12; a random one where absent')
  .requiredOption('--out <dir>', 'folder for the files')

const list = command<{ data: string }>(
  'list',
  'List the push certificates.',
  'carillon portal cert list --data ./data',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      for (const found of await portal.certificates.list())
        output.result(
          found,
          `${found.serial}  ${found.bundleId}  ${found.kind}  ${found.status}  until ${dateOf(found.notAfter)}`,
        )
    }),
).requiredOption('--data <dir>', 'data directory of the system')

const revoke = command<{ data: string; serial: string }>(
  'revoke',
  'Revoke a push certificate.',
  'carillon portal cert revoke --data ./data --serial 1f2e3d4c5b6a7988',
  (options, output) =>
    withPortal(options.data, async (portal) => {
      const revoked = await portal.certificates.revoke(options.serial)
      output.result(revoked, `Push certificate ${revoked.serial} is revoked`)
    }),
)
  .requiredOption('--data <dir>', 'data directory of the system')
  .requiredOption('--serial <hex>', 'its serial number')

/** `.cer` (DER), `.pem` (with the issuing CA) and, where the key was made here, the key and a `.p12`. */
async function writeFiles(folder: string, issued: IssuedCertificate) {
  const name = (ending: string) => inFolder(folder, `aps_${issued.kind}_${issued.bundleId}.${ending}`)
  return {
    certFile: await writeNamedFile(name('pem'), `${issued.certPem.trimEnd()}\n${issued.chainPem}`),
    keyFile: issued.keyPem === undefined ? null : await writeNamedFile(name('key.pem'), issued.keyPem, true),
    p12File: issued.p12 === undefined ? null : await writeNamedFile(name('p12'), issued.p12, true),
    cerFile: await writeNamedFile(name('cer'), issued.cerDer),
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

export const certCommand = group('cert', 'push certificates', 'carillon portal cert list --data ./data', [
  create,
  list,
  revoke,
])
