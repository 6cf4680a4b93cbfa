/** Does something once: whoever asks again gets the promise of the first time, also who is told of it while it begins. */
export function once(task: () => Promise<void>): () => Promise<void> {
  let first: Promise<void> | undefined
  return () => {
    if (first === undefined) {
      let begin = (_done: Promise<void>): void => {}
      first = new Promise((resolve) => {
        begin = resolve
      })
      begin(task())
    }
    return first
  }
}
