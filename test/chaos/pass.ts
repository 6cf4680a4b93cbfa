import { setTimeout as sleep } from 'node:timers/promises'
import type { People } from './people.ts'
import type { Progress } from './trial.ts'

const LINE_MS = 30_000

/** Lets time pass, and says now and then how far it is and who is there. */
export async function pass(seconds: number, people: People, progress: Progress): Promise<void> {
  const end = Date.now() + seconds * 1_000
  for (let left = seconds * 1_000; left > 0; left = end - Date.now()) {
    await sleep(Math.min(left, LINE_MS))
    const toGo = Math.max(0, Math.round((end - Date.now()) / 1_000))
    if (toGo > 0) progress(`${toGo} s to go, ${people.present.length} there, ${people.said.length} said`)
  }
}
