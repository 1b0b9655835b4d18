/** What views are made of: Preact with its hooks, htm, and a few hooks of our own. */

import htm from '../vendor/htm.js';
import { Component, h, render } from '../vendor/preact.js';
import { useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useReducer, useRef, useState } from '../vendor/hooks.js';
import { call, Problem, revived } from './api.js';

export {
  h, render, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useReducer, useRef, useState,
};

/** @typedef {import('../vendor/preact.js').ComponentChildren} Node */

/** @type {(strings: TemplateStringsArray, ...values: any[]) => import('../vendor/preact.js').VNode<any>} */
export const html = /** @type {any} */ (htm.bind(h));

/**
 * The component, drawn again only when one of its properties, which are always the same ones, is another value.
 *
 * @template P
 * @param {(props: P) => Node} draw
 */
export function memo(draw) {
  return class extends Component {
    /** @param {any} next */
    shouldComponentUpdate(next) {
      const held = /** @type {any} */ (this.props);
      return Object.keys(next).some((name) => held[name] !== next[name]);
    }

    render() {
      return draw(/** @type {any} */ (this.props));
    }
  };
}

/**
 * The store's value, now and whenever it changes.
 *
 * @template T
 * @param {import('./store.js').Store<T>} store
 */
export function useStore(store) {
  const [value, setValue] = useState(store.get);
  useLayoutEffect(() => {
    setValue(store.get);
    return store.subscribe(setValue);
  }, [store]);
  return value;
}

/**
 * What `load` gives, again whenever `deps` change; a load that is under way then is aborted. What was there stays
 * until the next is. It loads again, too, when the session or the network is back.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} deps
 * @returns {{data: T | null, problem: Problem | null, busy: boolean, reload: () => void}}
 */
export function useLoad(load, deps) {
  const [state, setState] = useState(/** @type {{data: T | null, problem: Problem | null, busy: boolean}} */ ({
    data: null, problem: null, busy: true,
  }));
  const [turn, reload] = useReducer((/** @type {number} */ count) => count + 1, 0);
  const back = useStore(revived);
  useLayoutEffect(() => {  // an effect would wait for the next frame
    const aborting = new AbortController();
    setState((held) => ({ ...held, busy: true }));
    load(aborting.signal).then(
      (data) => aborting.signal.aborted || setState({ data, problem: null, busy: false }),
      (error) => aborting.signal.aborted || setState((held) => ({ ...held, problem: Problem.from(error), busy: false })),
    );
    return () => aborting.abort();
  }, [...deps, turn, back]);
  return { ...state, reload: () => reload(undefined) };
}

/** What the API has there, as `useLoad` gives it. @param {string} path @param {Record<string, any>} [query] */
export const useGet = (path, query = {}) =>
  useLoad(async (signal) => (await call('GET', path, { query, signal })).body, [path, JSON.stringify(query)]);

/**
 * What a button or a form does: `run` never throws, and what went wrong is the `problem` until it runs again.
 *
 * @template {unknown[]} A
 * @template T
 * @param {(...args: A) => Promise<T>} act
 */
export function useAction(act) {
  const [state, setState] = useState(/** @type {{busy: boolean, problem: Problem | null}} */ ({
    busy: false, problem: null,
  }));
  /** @param {A} args */
  async function run(...args) {
    setState({ busy: true, problem: null });
    try {
      const result = await act(...args);
      setState({ busy: false, problem: null });
      return result;
    } catch (error) {
      setState({ busy: false, problem: Problem.from(error) });
      return undefined;
    }
  }
  return { ...state, run, clear: () => setState({ busy: false, problem: null }) };
}
