#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Half of a short command's time is compiling. What was compiled is kept in the system's temporary directory;
// only what is imported after this line profits.
enableCompileCache()
const { run } = await import('./run.ts')
await run(process.argv)
