/** Calls back in the next turn of the event loop: between two of them, input is read and output written. */
export function nextTurn(run: () => void): void {
  setImmediate(run)
}
