import { graphql } from "./__generated__";

export const Catalogue = graphql(`
  query Catalogue($first: Int!, $filter: CIFilter) {
    cis(first: $first, filter: $filter, orderBy: [{ field: CREATED_AT, direction: DESC }]) {
      totalCount
      nodes {
        ...Card
      }
    }
  }
`);

export const Card = graphql(`
  fragment Card on CI {
    id
    name
    lifecycle
    attributes
    createdAt
    owner {
      name
      role
    }
  }
`);

export const Rename = graphql(`
  mutation Rename($input: UpdateCIInput!) {
    updateCI(input: $input) {
      ci {
        ...Card
      }
      userErrors {
        code
        field
      }
    }
  }
`);
