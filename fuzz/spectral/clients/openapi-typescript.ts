// Bodies with what must be there and nothing else, by the types of openapi-typescript; never run, only compiled.
import type { components, paths } from "./generated/openapi-typescript";

type Body<Path extends keyof paths> = paths[Path] extends {
  post: { requestBody: { content: { "application/json": infer Json } } };
}
  ? Json
  : never;
type User = components["schemas"]["UserOutput"];

const ana: Body<"/users"> = { name: "Ana", email: "ana@example.com" };
export const bodies: [
  Body<"/users">,
  Body<"/users:batch">,
  Body<"/users/exports">,
  Body<"/users/exports/schedules">,
  Body<"/auth/invitations">,
  Body<"/auth/register">,
] = [
  { ...ana, profile: { addresses: [{ city: "Berlin" }] } },
  { operations: [{ op: "create", user: ana }] },
  { format: "csv" },
  { name: "Engineers", cron: "30 6 * * MON", export: { format: "xlsx" } },
  {},
  { name: "Ana", email: "ana@example.com", password: "correct horse battery" },
];

// What a reply always has needs no question mark.
export const shown = (user: User): string => `${user.name} ${user.scopes.join()} ${user.profile.addresses.length}`;
