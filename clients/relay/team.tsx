import { graphql, useLazyLoadQuery, useMutation, useRefetchableFragment } from "react-relay";
import type { team_details$key } from "./__generated__/team_details.graphql";
import type { teamCreateMutation } from "./__generated__/teamCreateMutation.graphql";
import type { teamQuery } from "./__generated__/teamQuery.graphql";
import type { teamRefetchQuery } from "./__generated__/teamRefetchQuery.graphql";

/** A form that records a team, and then shows it. */
export function NewTeam({ name }: { name: string }) {
  const [create, isInFlight] = useMutation<teamCreateMutation>(graphql`
    mutation teamCreateMutation($input: CreateTeamInput!) {
      createTeam(input: $input) {
        team {
          id
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `);
  return (
    <button
      disabled={isInFlight}
      onClick={(event) => {
        const button = event.currentTarget;
        create({
          variables: { input: { name } },
          onCompleted: ({ createTeam }) => {
            button.dataset.id = createTeam.team?.id;
            button.dataset.problems = createTeam.userErrors.map((error) => `${error.code} ${error.field.join(".")}`).join();
          },
        });
      }}
    />
  );
}

/** A team by its id, with a button that asks for it anew. */
export function Team({ id }: { id: string }) {
  const { node } = useLazyLoadQuery<teamQuery>(
    graphql`
      query teamQuery($id: ID!) {
        node(id: $id) {
          ...team_details @alias(as: "team")
        }
      }
    `,
    { id },
  );
  return node?.team && <Details team={node.team} />;
}

function Details({ team }: { team: team_details$key }) {
  const [{ name, description }, refetch] = useRefetchableFragment<teamRefetchQuery, team_details$key>(
    graphql`
      fragment team_details on Team @refetchable(queryName: "teamRefetchQuery") {
        name
        description
      }
    `,
    team,
  );
  return (
    <>
      <p>
        {name}: {description}
      </p>
      <button onClick={() => refetch({}, { fetchPolicy: "network-only" })} />
    </>
  );
}
