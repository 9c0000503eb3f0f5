// Follows the README, errors included, with openapi-fetch and the types that openapi-typescript
// generates: walk.js URL.

import { deepStrictEqual as same } from "node:assert";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const baseUrl = process.argv[2];
const email = "typescript@example.com";
const password = "abc321";

const anybody = createClient<paths>({ baseUrl });
const bearer = (token: string) =>
  createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
const byKey = (key: string) => createClient<paths>({ baseUrl, headers: { "x-api-key": key } });

/** Returns the data of a successful response. */
const done = <T>({ data, error }: { data?: T; error?: unknown }): T => {
  same(error, undefined);
  return data!;
};
const appmixer = (
  { error }: { error?: components["schemas"]["AppmixerError"] },
  statusCode: number,
  reason: string,
  message: string,
) => same(error, { statusCode, error: reason, message });
const management = (
  { error }: { error?: components["schemas"]["ManagementError"] },
  code: components["schemas"]["Code"],
  message: string,
) => same(error, { success: false, code, message });

const body = { username: "typescript", email, password };
const signedUp = done(await anybody.POST("/user", { body }));
same(signedUp.user.username, "typescript");
appmixer(await anybody.POST("/user", { body }), 400, "Bad Request", "User already exists.");
// @ts-expect-error the types ask for a password
const missing = await anybody.POST("/user", { body: { email } });
appmixer(missing, 400, "Bad Request", '"password" is required');

const signedIn = done(await anybody.POST("/user/auth", { body: { username: "typescript", password } }));
const byEmail = done(await anybody.POST("/user/auth", { body: { email, password } }));
const known = { ...signedUp.user, scope: ["user"] };
same([signedIn.user, byEmail.user], [known, known]);
const wrong = await anybody.POST("/user/auth", { body: { email, password: "abc322" } });
appmixer(wrong, 403, "Forbidden", "Invalid username or password.");
const user = done(await bearer(signedIn.token).GET("/user"));
same([user.email, user.scope, user.plan], [email, ["user"], "free"]);
const bad = await bearer("a.b.c").GET("/user");
appmixer(bad, 401, "Unauthorized", "Invalid JWT: key or signature is invalid");

const login = (password: string) =>
  anybody.POST("/v1/auth/login", { body: { username: "typescript", password } });
management(await login("abc322"), 2008, "Invalid username or password.");
const loggedIn = done(await login(password));
same([loggedIn.success, loggedIn.expiresIn], [true, 1800]);
const session = bearer(loggedIn.token);

const newKey = (permissions: number) =>
  session.POST("/v1/api-keys", { body: { name: "ci", permissions } });
const made = done(await newKey(3)).apiKey;
management(await newKey(16), 1006, '"permissions" must be a mask from 0 to 15');
const listed = done(await session.GET("/v1/api-keys")).apiKeys;
same(listed, [{ ...made, key: `${made.key.slice(0, 8)}…` }]);

const change = (client: typeof session, user: components["schemas"]["UserChange"]) =>
  client.POST("/v1/auth/user", { body: { user } });
const theme = { category: "ui", name: "theme", value: "dark", type: "string" as const };
const changed = done(
  await change(byKey(made.key), { firstName: "Ada", countryCode: "GB", settings: [theme] }),
);
const read = done(await byKey(made.key).GET("/v1/auth/user"));
same(read, changed);
same([read.user.firstName, read.user.title, read.user.settings[0].type], ["Ada", null, "string"]);
same(done(await change(session, { firstName: null })).user.firstName, null);
const nowhere = await change(session, { countryCode: "XX" });
management(nowhere, 1006, '"countryCode" must be a country code of ISO 3166-1 alpha-2');

const revoke = (id: number) => session.DELETE("/v1/api-keys/{id}", { params: { path: { id } } });
same(done(await revoke(made.id)).success, true);
management(await revoke(99), 1009, "API key not found");
management(await byKey(made.key).GET("/v1/auth/user"), 2007, "Invalid API key");
same(done(await session.POST("/v1/auth/logout", { body: {} })).success, true);
management(await session.GET("/v1/auth/user"), 2006, "Bad token");

const owner = bearer(signedIn.token);
const sessions = () => owner.GET("/user/sessions");
same(done(await sessions()).filter(({ current }) => current).length, 1);
const changePassword = (oldPassword: string) =>
  owner.POST("/user/change-password", { body: { oldPassword, newPassword: "abc323" } });
appmixer(await changePassword("abc322"), 403, "Forbidden", "Invalid username or password.");
same(done(await changePassword(password)), {});
done(await owner.DELETE("/user/sessions", { params: { query: { except: "current" } } }));
same(done(await sessions()).length, 1);
done(await owner.DELETE("/user", { body: { password: "abc323" } }));
appmixer(await owner.GET("/user"), 401, "Unauthorized", "Bad token");
console.log("openapi-typescript and openapi-fetch: walked");
