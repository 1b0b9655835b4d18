/** The views: where each is, who may see it, and the module that draws it, which is loaded when it is needed. */

/**
 * @typedef {object} View
 * @property {string} path
 * @property {string} title the key of its text
 * @property {string | null} scope what the caller needs to see it
 * @property {string} [icon] in the navigation, where it stands unless it has none
 * @property {string} [go] the key that goes there, after `g`
 * @property {() => Promise<{default: (props: any) => any}>} load
 */

/** @type {View[]} */
export const VIEWS = [
  { path: '/overview', title: 'overview.title', scope: 'users:read', icon: 'chart', go: 'o', load: () => import('./views/overview.js') },
  { path: '/people', title: 'people.title', scope: 'users:read', icon: 'people', go: 'p', load: () => import('./views/people.js') },
  { path: '/people/new', title: 'person.new', scope: 'users:write', load: () => import('./views/person/new.js') },
  { path: '/people/:id', title: 'person.title', scope: 'users:read', load: () => import('./views/person.js') },
  { path: '/imports', title: 'imports.title', scope: 'users:write', icon: 'import', go: 'i', load: () => import('./views/imports.js') },
  { path: '/imports/:id', title: 'imports.title', scope: 'users:write', load: () => import('./views/imports/plan.js') },
  { path: '/bulk', title: 'bulk.title', scope: 'users:write', icon: 'bulk', go: 'b', load: () => import('./views/bulk.js') },
  { path: '/bulk/:id', title: 'bulk.title', scope: 'users:write', load: () => import('./views/bulk.js') },
  { path: '/exports', title: 'exports.title', scope: 'users:export', icon: 'export', go: 'e', load: () => import('./views/exports.js') },
  { path: '/jobs', title: 'jobs.title', scope: 'users:admin', icon: 'job', go: 'j', load: () => import('./views/jobs.js') },
  { path: '/audit', title: 'audit.title', scope: 'users:admin', icon: 'audit', go: 'a', load: () => import('./views/audit.js') },
  { path: '/clients', title: 'clients.title', scope: 'users:admin', icon: 'client', go: 'c', load: () => import('./views/clients.js') },
  { path: '/operations', title: 'operations.title', scope: 'users:admin', icon: 'health', go: 'h', load: () => import('./views/operations.js') },
];
