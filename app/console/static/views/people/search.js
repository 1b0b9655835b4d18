/** The search box: it finds as one types, and suggests people by name. */

import { t, html, useState, call, go, useLoad, useEffect, useKeys, useRef, Icon, useId } from '../../kit.js';

/** The least time between two searches, as long as the one before has not been answered. */
const APART_MS = 80;
/** How long somebody pauses who looks at suggestions. */
const PAUSE_MS = 150;
const SHOWN = 6;

/**
 * @param {{value: string, busy: boolean, onSearch: (text: string) => void, total: string}} props
 */
export function Search({ value, busy, onSearch, total }) {
  const id = useId();
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [typed, setTyped] = useState(value);
  const [asked, setAsked] = useState('');
  const [at, setAt] = useState(-1);
  const send = useThrottled(onSearch, busy);
  const { data } = useLoad((signal) => suggest(asked, signal), [asked]);
  const people = asked ? data ?? [] : [];
  useEffect(() => (document.activeElement === input.current ? undefined : setTyped(value)), [value]);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(document.activeElement === input.current ? typed.trim() : ''), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  useKeys([{ key: '/', text: t('keys.search'), run: () => input.current?.select() }], []);

  /** @param {string} text */
  function type(text) {
    setTyped(text);
    setAt(-1);
    if (text.trim() === '') setAsked('');
    send(text);
  }
  function close() {
    setAsked('');
    setAt(-1);
  }
  /** @param {KeyboardEvent} event */
  function press(event) {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    const step = steps[event.key];
    if (step && people.length) event.preventDefault(), setAt((at + step + people.length + (at < 0 && step < 0 ? 1 : 0)) % people.length);
    if (event.key === 'Enter') at < 0 ? input.current?.blur() : go(`/people/${people[at].id}`);
    if (event.key === 'Escape') event.preventDefault(), asked ? close() : input.current?.blur();
  }
  return html`
    <div class="search" role="search">
      <${Icon} name="search" />
      <input ref=${input} type="search" role="combobox" dir="auto" autocomplete="off" spellcheck=${false} maxlength="200"
        aria-label=${t('people.search')} placeholder=${t('people.search_hint')} value=${typed}
        aria-expanded=${String(people.length > 0)} aria-controls=${id} aria-activedescendant=${at < 0 ? null : `${id}-${at}`} aria-autocomplete="list"
        onInput=${(/** @type {any} */ event) => type(event.target.value)} onKeyDown=${press} onBlur=${close} />
      <span class="sr" role="status">${typed && total}</span>
      <ul id=${id} class="popup suggestions" role="listbox" aria-label=${t('people.suggestions')} hidden=${!people.length}>
        ${people.map((/** @type {any} */ person, /** @type {number} */ place) => html`
          <li key=${person.id} id=${`${id}-${place}`} role="option" aria-selected=${String(place === at)}
            onMouseDown=${(/** @type {Event} */ event) => event.preventDefault()} onClick=${() => go(`/people/${person.id}`)}>
            <span dir="auto">${person.name}</span> <span class="muted small" dir="auto">${person.email}</span>
          </li>`)}
      </ul>
    </div>`;
}

/** @param {string} q @param {AbortSignal} signal @returns {Promise<any[]>} */
async function suggest(q, signal) {
  if (!q) return [];
  const { body } = await call('GET', '/users/suggest', { query: { q }, signal });
  return body.items.slice(0, SHOWN);
}

/**
 * The function, called at once, but while it is busy not sooner after its last call than `APART_MS`; then with what came last.
 *
 * @param {(text: string) => void} act
 * @param {boolean} busy
 */
function useThrottled(act, busy) {
  const held = useRef({ act, busy, timer: 0, at: 0 });
  Object.assign(held.current, { act, busy });
  useEffect(() => () => clearTimeout(held.current.timer), []);
  return (/** @type {string} */ text) => {
    const state = held.current;
    clearTimeout(state.timer);
    const run = () => {
      state.at = performance.now();
      state.act(text);
    };
    const wait = state.at + APART_MS - performance.now();
    if (!state.busy || wait <= 0) run();
    else state.timer = setTimeout(run, wait);
  };
}
