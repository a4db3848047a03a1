import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestCharts } from '../../test/support/test-charts.ts';
import { wireToJson } from '../codec/index.ts';
import { Router, type Verb } from '../http/index.ts';
import { createReleaseService } from '../releases/index.ts';
import { createReleaseRoutes, type ReleaseRoute } from './release-routes.ts';
import { bindRequest, bodyToMessage } from './request-message.ts';

const service = createReleaseService(createTestCharts());
const router = new Router(createReleaseRoutes({ service, maxBodyBytes: 1, disableGetRollback: false }));

/** The request message that a verb, a path with its query, and a body come to. */
function bind(verb: string, target: string, body?: string): unknown {
  const [path = '', query = ''] = target.split('?');
  const match = router.match(path);
  const route = match?.routes.get(verb as Verb) as ReleaseRoute | undefined;
  assert.ok(match && route, `${verb} ${path}`);
  const rest = bindRequest(route.contract, match.parameters, new URLSearchParams(query));
  const type = route.contract.request.name;
  const wire = body === undefined ? rest : bodyToMessage(type, Buffer.from(body), rest);
  return JSON.parse(wireToJson(route.contract.request, Buffer.from(wire)).toString());
}

const list = '/tiller/v2/releases/json';
const release = '/tiller/v2/releases/alpha';

describe('binding', () => {
  test('both spellings, lists by repetition, the first of a repeated scalar, unknown ones ignored', () => {
    assert.deepEqual(
      bind('GET', `${list}?statusCodes=FAILED&status_codes=DELETED&limit=2&limit=3&no=1&all=t`),
      {
        status_codes: ['FAILED', 'DELETED'],
        limit: '2',
        all: true,
      },
    );
  });

  test('the path wins over the body, and over the query', () => {
    const body = '{"name":"other","version":1}';
    assert.deepEqual(bind('POST', `${release}/rollback/json?name=third`, body), {
      name: 'alpha',
      version: 1,
    });
  });

  test('the query wins over the body', () => {
    assert.deepEqual(bind('PUT', `${release}/json?wait=false&timeout=7`, '{"wait":true,"timeout":300}'), {
      name: 'alpha',
      timeout: '7',
    });
  });

  test('an empty body and none are the same', () => {
    assert.deepEqual(
      bind('POST', `${release}/rollback/json`),
      bind('POST', `${release}/rollback/json`, '{}'),
    );
  });

  for (const [query, text] of [
    ['limit=x', 'limit: expected a whole number, got "x"'],
    ['limit=', 'limit: expected a whole number, got ""'],
    ['all=yes', 'all: expected true or false, got "yes"'],
    ['sort_by=UPWARDS', /^sort_by: "UPWARDS" is none of /],
    ['limit=9223372036854775808', /^limit: .* is out of range for int64$/],
    [`x${'&x'.repeat(1000)}`, 'the query has more than 1000 parameters'],
  ] as const) {
    test(`?${query.slice(0, 30)} is refused, and the error names the parameter`, () => {
      assert.throws(() => bind('GET', `${list}?${query}`), { code: 3, message: text });
    });
  }
});
