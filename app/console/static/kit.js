/** What views are made of: all that they take from lib/ and components/, in one place. */

export * from './components/button.js';
export * from './components/chart.js';
export * from './components/dialog.js';
export * from './components/drop.js';
export * from './components/fields.js';
export * from './components/listing.js';
export * from './components/menu.js';
export * from './components/notices.js';
export * from './components/order.js';
export * from './components/page.js';
export * from './components/table.js';
export * from './components/values.js';
export * from './lib/api.js';
export * from './lib/config.js';
export * from './lib/jobs.js';
export * from './lib/keys.js';
export * from './lib/names.js';
export * from './lib/router.js';
export * from './lib/selection.js';
export * from './lib/session.js';
export * from './lib/store.js';
export * from './lib/texts.js';
export * from './lib/ui.js';
