import browseQuery from "./browse-the-catalogue.graphql?raw";
import browseVariables from "./browse-the-catalogue.json?raw";
import breaksQuery from "./what-breaks-if.graphql?raw";
import breaksVariables from "./what-breaks-if.json?raw";
import needsQuery from "./what-does-it-need.graphql?raw";
import needsVariables from "./what-does-it-need.json?raw";
import incidentQuery from "./open-an-incident.graphql?raw";
import incidentVariables from "./open-an-incident.json?raw";
import changeQuery from "./plan-a-change.graphql?raw";
import changeVariables from "./plan-a-change.json?raw";
import firstQuery from "./make-a-first-ci.graphql?raw";
import firstVariables from "./make-a-first-ci.json?raw";
import watchQuery from "./watch-services.graphql?raw";
import watchVariables from "./watch-services.json?raw";

/** One prepared operation. `name` is the operation's name in `query`, because
 * GraphiQL titles a tab by it. */
export interface Example {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly query: string;
  readonly variables: string;
}

export const examples: readonly Example[] = [
  {
    name: "BrowseTheCatalogue",
    title: "Browse the catalogue",
    description: "The tier-1 services with owner and state, and why they are in it.",
    query: browseQuery,
    variables: browseVariables.trim(),
  },
  {
    name: "WhatBreaksIf",
    title: "What breaks if",
    description: "Who suffers when a CI fails, and the proof of why.",
    query: breaksQuery,
    variables: breaksVariables.trim(),
  },
  {
    name: "WhatDoesItNeed",
    title: "What does it need",
    description: "Everything a CI stands on, nearest first.",
    query: needsQuery,
    variables: needsVariables.trim(),
  },
  {
    name: "OpenAnIncident",
    title: "Open an incident",
    description: "Name the CI that failed; the services affected are computed.",
    query: incidentQuery,
    variables: incidentVariables.trim(),
  },
  {
    name: "PlanAChange",
    title: "Plan a change",
    description: "Draft a change that takes a CI down, and see what that does.",
    query: changeQuery,
    variables: changeVariables.trim(),
  },
  {
    name: "WatchServices",
    title: "Watch services",
    description: "Hear of each service whose state has changed since, and as it happens.",
    query: watchQuery,
    variables: watchVariables.trim(),
  },
];

/** What an empty estate begins with. */
export const firstSteps: readonly Example[] = [
  {
    name: "MakeAFirstCI",
    title: "Make a first CI",
    description: "The estate is empty: its id is what the other examples need.",
    query: firstQuery,
    variables: firstVariables.trim(),
  },
];
