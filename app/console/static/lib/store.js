/** A value that several components see: they are told when it changes. */

/**
 * @template T
 * @typedef {{get: () => T, set: (value: T) => void, update: (change: (value: T) => T) => void,
 *   subscribe: (listen: (value: T) => void) => () => void}} Store
 */

/**
 * @template T
 * @param {T} value
 * @returns {Store<T>}
 */
export function makeStore(value) {
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  /** @param {T} next */
  function set(next) {
    if (next === value) return;
    value = next;
    for (const listen of [...listeners]) listen(next);
  }
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe(listen) {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
  };
}
