#!/usr/bin/env node
// Reads on any Node, so that an old one gets a sentence instead of a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`carillon needs Node 22.18 or newer; this is Node ${process.versions.node}.`)
  console.error('In the repository run it as `npx carillon …`, which uses the Node that the repository pins.')
  process.exit(1)
}
await import('../src/main.ts')
