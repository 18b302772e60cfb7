import { graphql } from "react-relay";

export const Viewer = graphql`
  query viewerQuery {
    viewer {
      name
    }
  }
`;
