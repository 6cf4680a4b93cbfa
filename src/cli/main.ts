#!/usr/bin/env node
import { GhostChatError } from '../errors.ts'
import { version } from '../version.ts'
import { UsageError } from './usage-error.ts'

const HELP = `ghostchat ${version}

Usage: ghostchat <command> [options]

Commands:
  node        run a GhostNode: where chats in browsers find each other
  diagnose    say whether GhostNodes can be reached from here, and what is wrong

Options:
  --help      this text; after a command, that command's
  --version   the version

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

/** Each is loaded when it is run: a node has no use for a client, and neither should be waited for. */
const COMMANDS: Record<string, (args: string[]) => Promise<void>> = {
  node: async (args) => (await import('./node-command.ts')).runNode(args),
  diagnose: async (args) => (await import('./diagnose-command.ts')).runDiagnose(args),
}

async function main([command, ...args]: string[]): Promise<void> {
  if (command === undefined) throw new UsageError('a command is missing')
  if (command === '--help' || command === '-h') return void process.stdout.write(HELP)
  if (command === '--version') return void process.stdout.write(`${version}\n`)
  const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined
  if (run === undefined) throw new UsageError(`there is no command '${command}'`)
  await run(args)
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  const usage =
    thrown instanceof UsageError ||
    (thrown instanceof GhostChatError && ['invalid-option', 'invalid-node'].includes(thrown.code))
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const hint = usage ? ' (see ghostchat --help)' : ''
  process.stderr.write(`ghostchat: ${message}${hint}\n`)
  process.exitCode = usage ? 2 : 1
})
