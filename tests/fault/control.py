# SPDX-License-Identifier: MIT
"""control.py - how a test tells proxy.py what to do, and asks what it has seen

By HTTP on the proxy's own port:

    POST /_/rule     adds a rule, JSON, see rules.py; answers its number
    POST /_/clear    removes all rules, lets go of all that is held
    GET  /_/counts   {"KIND": {"requests": n, "bytes": n}, ...} of bodies sent
    POST /_/reset    counts from zero, with an empty log
    GET  /_/log      [{"kind", "method", "path", "range", "bytes", "status"},
                     ...]
    GET  /_/await?rule=N[&times=N]     answers when rule N has acted that often
    POST /_/release  lets go of all that rules hold
    POST /_/replay?name=NAME[&index=I] sends what was recorded once more, byte
                     for byte, and answers {"status", "code"} of the reply
    GET  /_/recorded?name=NAME         {"count": n, "paths": [...]}
    GET  /_/acted    {"RULE": n, ...}, how often each rule has acted
    GET  /_/idle     answers when no client is connected: what a dead one has
                     sent has had its effect
"""
import json
import re
import urllib.parse

from rules import Rule


class Control:
    """Of proxy.Handler: what answers under /_/."""

    def control(self, body):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        verb = getattr(self, "control_" + parts.path[3:], None)
        if verb is None:
            self.answer(404)
            return
        try:
            result = verb(query, body)
        except (KeyError, ValueError, IndexError) as error:
            self.answer(400, repr(error).encode())
            return
        self.answer(200, json.dumps(result).encode() + b"\n")

    def control_rule(self, _query, body):
        state = self.state
        with state.changed:
            state.rules_made += 1
            state.rules.append(Rule(state.rules_made, json.loads(body)))
            return state.rules_made

    def control_clear(self, _query, _body):
        with self.state.changed:
            self.state.rules = []
        self.state.release()

    def control_release(self, _query, _body):
        self.state.release()

    def control_counts(self, _query, _body):
        with self.state.changed:
            return dict(self.state.counts)

    def control_reset(self, _query, _body):
        with self.state.changed:
            self.state.counts = {}
            self.state.log = []

    def control_log(self, _query, _body):
        with self.state.changed:
            return list(self.state.log)

    def control_acted(self, _query, _body):
        with self.state.changed:
            return {rule.number: rule.acted for rule in self.state.rules}

    def control_idle(self, _query, _body):
        with self.state.changed:
            self.state.changed.wait_for(lambda: not self.state.clients)

    def control_await(self, query, _body):
        state = self.state
        number, times = int(query["rule"]), int(query.get("times", 1))
        with state.changed:
            rule = next((r for r in state.rules if r.number == number), None)
            if rule is None:
                raise KeyError("rule")
            state.changed.wait_for(lambda: rule.acted >= times)
            return rule.acted

    def control_recorded(self, query, _body):
        with self.state.changed:
            kept = self.state.recorded.get(query["name"], [])
            return {"count": len(kept), "paths": [r[1] for r in kept]}

    def control_replay(self, query, _body):
        with self.state.changed:
            kept = self.state.recorded[query["name"]]
            request = kept[int(query.get("index", 0))]
        reply, body = self.pass_on(request)
        code = re.search(rb"<Code>([^<]*)", body)
        return {"status": reply.status,
                "code": reply.getheader("x-ms-error-code") or
                (code.group(1).decode() if code else "")}
