import { graphql } from "./__generated__/codegen";

export const Roles = graphql(`
  query Roles {
    viewer {
      roles
    }
  }
`);
