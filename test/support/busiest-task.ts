/** How often something happened between two turns of the event loop, at the most, while `work` was done. */
export async function busiestTask(work: (count: () => void) => Promise<void>): Promise<number> {
  let most = 0
  let current = 0
  let isOver = false
  const turn = (): void => {
    current = 0
    if (!isOver) setImmediate(turn)
  }
  turn()
  await work(() => {
    current += 1
    most = Math.max(most, current)
  }).finally(() => {
    isOver = true
  })
  return most
}
