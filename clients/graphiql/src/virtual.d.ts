declare module "virtual:concepts" {
  const concepts: import("./find").Concepts;
  export default concepts;
}
