// PostGraphile 5 over the database of a Linchpin, for benchmarks that compare with it:
//
//   node postgraphile/serve.mjs 'postgres://USER@HOST/NAME?sslmode=disable' PORT
//
// It prints its address when it answers (port 0 takes a free one), at /graphql, and ends with SIGTERM.

// What Node has from version 22 on.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
};

const [database, port] = process.argv.slice(2);
if (!database || !port) {
  console.error("usage: node postgraphile/serve.mjs DATABASE PORT");
  process.exit(2);
}

process.env.GRAPHILE_ENV ??= "production";
const { createServer } = await import("node:http");
const { postgraphile } = await import("postgraphile");
const { makePgService } = await import("postgraphile/adaptors/pg");
const { grafserv } = await import("postgraphile/grafserv/node");
const { PostGraphileAmberPreset } = await import("postgraphile/presets/amber");

const graphile = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: database, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", watch: false },
});
const server = createServer();
await graphile.createServ(grafserv).addTo(server);
server.listen(Number(port), "127.0.0.1", () => console.log(`GraphQL    http://127.0.0.1:${server.address().port}/graphql`));
