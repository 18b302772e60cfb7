import { useEffect } from "react";
import { graphql, useLazyLoadQuery, usePaginationFragment } from "react-relay";
import type { rows_list$key } from "./__generated__/rows_list.graphql";
import type { rowsQuery } from "./__generated__/rowsQuery.graphql";

/** A list that loads page after page for as long as there is one. */
export function Rows() {
  const query = useLazyLoadQuery<rowsQuery>(
    graphql`
      query rowsQuery {
        ...rows_list
      }
    `,
    {},
  );
  return <Pages list={query} />;
}

function Pages({ list }: { list: rows_list$key }) {
  const { data, hasNext, isLoadingNext, loadNext } = usePaginationFragment(
    graphql`
      fragment rows_list on Query
      @argumentDefinitions(count: { type: "Int", defaultValue: 100 }, cursor: { type: "String" })
      @refetchable(queryName: "rowsPaginationQuery") {
        cis(filter: { name: { startsWith: "row-" } }, orderBy: [{ field: UPDATED_AT, direction: DESC }], first: $count, after: $cursor)
          @connection(key: "rows_cis") {
          totalCount
          edges {
            node {
              id
              name
            }
          }
        }
      }
    `,
    list,
  );
  useEffect(() => {
    if (hasNext && !isLoadingNext) loadNext(100);
  }, [hasNext, isLoadingNext, loadNext]);
  return (
    <ol data-loaded={!hasNext} data-total={data.cis.totalCount}>
      {data.cis.edges.map(({ node }) => (
        <li key={node.id}>{node.name}</li>
      ))}
    </ol>
  );
}
