/** Jobs as they go: by their stream of events, begun again whenever it breaks off. */

import { call, Problem } from './api.js';
import { useEffect, useState } from './ui.js';

const FINAL = new Set(['succeeded', 'failed', 'cancelled']);
const AGAIN_MS = 1_000;

/** @param {{state: string} | null} job */
export const final = (job) => job !== null && FINAL.has(job.state);

/** Loads a list again and again while a job in it goes on. @param {any[] | undefined} jobs @param {() => void} reload */
export function useRefresh(jobs, reload) {
  const goes = jobs?.some((job) => !final(job));
  useEffect(() => {
    const timer = goes && setTimeout(reload, AGAIN_MS);
    return () => clearTimeout(timer || undefined);
  }, [jobs]);
}

/**
 * The job now and at each change; null until it is known.
 *
 * @param {string | null} id
 * @returns {{job: any, problem: Problem | null}}
 */
export function useJob(id) {
  const [state, setState] = useState({ job: null, problem: /** @type {Problem | null} */ (null) });
  useEffect(() => {
    setState({ job: null, problem: null });
    if (id === null) return undefined;
    const aborting = new AbortController();
    follow(id, (job) => setState({ job, problem: null }), aborting.signal).catch(
      (error) => aborting.signal.aborted || setState((held) => ({ ...held, problem: Problem.from(error) })),
    );
    return () => aborting.abort();
  }, [id]);
  return state;
}

/**
 * @param {string} id
 * @param {(job: any) => void} onJob
 * @param {AbortSignal} signal
 */
async function follow(id, onJob, signal) {
  for (;;) {
    const { body: job } = await call('GET', `/jobs/${id}`, { signal });
    onJob(job);
    if (final(job) || (await listen(id, onJob, signal))) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/**
 * Whether the job came to its end while the stream lasted.
 *
 * @param {string} id
 * @param {(job: any) => void} onJob
 * @param {AbortSignal} signal
 */
async function listen(id, onJob, signal) {
  let job = null;
  const { body } = await call('GET', `/jobs/${id}/events`, { signal, accept: 'text/event-stream', as: 'stream' });
  try {
    let held = '';
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const events = (held + text).split('\n\n');
      held = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: ?(.*)$/m.exec(event)?.[1];
        if (data) onJob((job = JSON.parse(data)));
      }
    }
  } catch (error) {
    if (signal.aborted) throw error;
  }
  return final(job);
}
