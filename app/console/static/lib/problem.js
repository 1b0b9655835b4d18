/** What went wrong: a problem of the API (RFC 9457), an error of OAuth, or no answer at all. */

import { t } from './texts.js';

/** @typedef {{field: string, detail: string}} FieldProblem */

export class Problem extends Error {
  /**
   * @param {object} told
   * @param {number} [told.status] 0 where there was no answer
   * @param {string} told.code
   * @param {string} told.title
   * @param {string} [told.detail]
   * @param {{detail: string, pointer?: string, parameter?: string}[]} [told.errors]
   * @param {string} [told.request_id]
   * @param {number | null} [retryAfter] seconds
   */
  constructor(told, retryAfter = null) {
    super(told.detail || told.title);
    this.name = 'Problem';
    this.status = told.status ?? 0;
    this.code = told.code;
    this.title = told.title;
    this.detail = told.detail ?? '';
    this.requestId = told.request_id ?? '';
    this.retryAfter = retryAfter;
    /** @type {FieldProblem[]} */
    this.errors = (told.errors ?? []).map((error) => ({ field: nameOf(error), detail: error.detail }));
  }

  /** What is wrong with a field: `profile.age`, or a parameter. @param {string} field */
  of(field) {
    return this.errors.find((error) => error.field === field)?.detail;
  }

  /** Whether the same request may succeed in a moment. */
  get passes() {
    return this.code === 'offline' || this.status === 503;
  }

  /** Any error as a problem; what is none of ours is a fault of this page. @param {unknown} error */
  static from(error) {
    if (error instanceof Problem) return error;
    console.error(error);
    return new Problem({ code: 'broken', title: t('problem.broken'), detail: String(error) });
  }

  static offline() {
    return new Problem({ code: 'offline', title: t('problem.offline'), detail: t('problem.offline_detail') });
  }

  /** Of a reply that is no success. @param {Response} reply */
  static async of(reply) {
    const retryAfter = Number(reply.headers.get('Retry-After')) || null;
    /** @type {any} */
    const told = await reply.json().catch(() => null);
    if (told?.code) return new Problem(told, retryAfter);
    const [code, detail] = told?.error ? [told.error, told.error_description] : ['broken', ''];
    return new Problem({ status: reply.status, code, title: t('problem.status', { status: String(reply.status) }), detail }, retryAfter);
  }
}

/** @param {{pointer?: string, parameter?: string}} error */
function nameOf({ pointer, parameter }) {
  return parameter ?? (pointer ?? '').slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
}
