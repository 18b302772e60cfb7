import { gql } from "@apollo/client";

export const CLASSES = gql`
  query Classes($first: Int) {
    ciClasses(first: $first) {
      nodes {
        code
        ...Naming
      }
    }
  }
  fragment Naming on CIClass {
    description
  }
`;
