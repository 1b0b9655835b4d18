// Calls with what must be there and nothing else, by the client of hey-api; never run, only compiled.
import { createInvitation, createUser, replaceUser, submitExport } from "./generated/hey-api";

export async function call(): Promise<string> {
  const ana = { name: "Ana", email: "ana@example.com" };
  const { data: user } = await createUser({ body: ana, throwOnError: true });
  await replaceUser({ path: { user_id: user.id }, body: ana });
  await createInvitation({ body: {} });
  await submitExport({ body: { format: "csv" } });
  return `${user.name} ${user.scopes.join()} ${user.profile.addresses.length}`;
}
