// Mistakes to plant in the runtime or in the driver of durable runs, one at a time. Each must break a law; `test/mutants.long.ts` checks that.
import { join } from "node:path"

const runtime = join(import.meta.dirname, "../../stepgraph/src/internal/runtime")
/** The driver of durable runs, as seen from there. */
const durable = (file: string): string => `../../../../durable/src/internal/${file}`

/** A mistake: in one file, replaces one text with another. */
type Mutant = readonly [name: string, file: string, from: string, to: string]

export const mutants: ReadonlyArray<Mutant> = [
  [
    "counts out before the emissions are delivered",
    "call/invocation.ts",
    '    this.phase = "returning"\n    try {\n      this.run.router.emit',
    '    this.phase = "returning"\n    try {\n      this.run.settled(this, Exit.void)\n      this.phase = "over"\n      this.run.router.emit'
  ],
  [
    "forgets that a gather's own step holds its next round",
    "../graph/groups.ts",
    "    for (const member of members) waited.add(member)\n",
    ""
  ],
  ["forgets to count a step's end", "scope/quiescence.ts", "if (--watch.inFlight === 0)", "if (--watch.inFlight < 0)"],
  ["loses surplus", "intake/cell.ts", "    this.length -= count\n", "    this.length = 0\n"],
  [
    "pairs by arrival, whatever the scope",
    "intake/collector.ts",
    "this.cells.of(owner, intake.by",
    "this.cells.of(intake.kind === 'join' ? this.run.scopes.root : owner, intake.by"
  ],
  [
    "gathers in the order of arrival",
    "intake/cell.ts",
    "      from.sort((a, b) => Position.compare(a.position!, b.position!))\n",
    ""
  ],
  [
    "gives its position to its first emission",
    "call/invocation.ts",
    "if (position === undefined || !last)",
    "if (position === undefined)"
  ],
  ["puts an emission behind its own end", "scope/position.ts", "insert(this.index)", "insert(this.index + 1)"],
  [
    "keeps the position of an invocation that has ended",
    "call/invocation.ts",
    "      this.releasePosition()\n      this.run.settled",
    "      this.run.settled"
  ],
  [
    "keeps the position of what a race has called off",
    "call/calls.ts",
    "    invocation.cancelled = true\n    invocation.releasePosition()\n",
    "    invocation.cancelled = true\n"
  ],
  ["keeps the positions of a batch", "intake/cell.ts", "from[i]!.position!.release()", "from[i]!.position!"],
  [
    "keeps the position of what comes after a race",
    "intake/collector.ts",
    "      position?.release()\n      this.raced",
    "      this.raced"
  ],
  [
    "keeps the positions of what is dropped",
    "intake/cell.ts",
    "    for (const { position } of arrivals) position?.release()\n",
    ""
  ],
  [
    "keeps the positions of a scope that is over",
    "scope/quiescence.ts",
    "if (inFlight === 0) for (const watch of members) watch.leavePosition()",
    "{}"
  ],
  [
    "gives a batch the position of its latest event",
    "scope/position.ts",
    "if (Position.compare(a, b) < 0) {",
    "if (Position.compare(a, b) > 0) {"
  ],
  [
    "fires twice",
    "scope/quiescence.ts",
    "if (watch !== undefined) this.intakes.onQuiescence(watch)\n",
    "if (watch !== undefined) { this.intakes.onQuiescence(watch); this.intakes.onQuiescence(watch) }\n"
  ],
  [
    "looks at outer scopes first",
    "scope/quiescence.ts",
    "a.scope.depth > b.scope.depth ||",
    "a.scope.depth < b.scope.depth ||"
  ],
  [
    "gives an event to the scope around its own",
    "intake/collector.ts",
    "const owner = scope.owners[node.per]",
    "const owner = scope.parent?.owners[node.per] ?? scope.owners[node.per]"
  ],
  [
    "lets what comes after a race through",
    "intake/collector.ts",
    "    if (watch?.decided) {",
    "    if (watch?.decided && intake.kind !== 'race') {"
  ],
  [
    "does not call off what a race was decided without",
    "scope/races.ts",
    "for (const flight of flights) if (!flight.underWay) flight.cancel()",
    ""
  ],
  [
    "delivers after the stop",
    "flow/router.ts",
    "    if (this.outcome.reached || from.cancelled) {",
    "    if (from.cancelled) {"
  ],
  ["runs one worker too many", "flow/lane.ts", "this.busy < this.node.workers", "this.busy <= this.node.workers"],
  [
    "runs a batch of a join in the scope of its first event only",
    "intake/cell.ts",
    "scope = Scope.shared(scope, arrival.scope)",
    "break"
  ],
  [
    "lets a gather run with half of what a decided race has called off",
    "scope/scope.ts",
    "if (race !== this.quiescent) this.disarm()",
    ""
  ],
  [
    "keeps what intakes on the way to a decided race hold",
    "intake/collector.ts",
    "    if (!drops(race, this.node)) return\n",
    "    return\n"
  ],
  [
    "has a decided race drop what its own step may still complete",
    "../graph/graph.ts",
    "return node.quiescent !== undefined || !(race.leadsBackTo(node)",
    "return true || !(race.leadsBackTo(node)"
  ],
  ["ends a scope that an intake still holds an event of", "intake/cell.ts", "      scope.use()\n", ""],
  [
    "ends a scope whose gather has a round to come",
    "scope/scope.ts",
    "    scope.use()\n    for (const reach",
    "    for (const reach"
  ],
  [
    "keeps a scope in use when a step in it has ended",
    "scope/quiescence.ts",
    "    if (quiet !== undefined) this.fire(quiet)\n    scope.letGo()\n",
    "    if (quiet !== undefined) this.fire(quiet)\n"
  ],
  [
    "never takes a scope out of a chain",
    "scope/lifetime.ts",
    "        at.bypass(younger)\n        this.intakes.close(at)\n",
    ""
  ],
  [
    "forgets that a bypassed scope's gathers counted for those around it",
    "scope/scope.ts",
    "    this.outer = outer.outer\n",
    "    this.outer = undefined\n"
  ],
  [
    "leaves a bypassed scope around those that lead to the younger one",
    "scope/scope.ts",
    "at.owners[kind] = around",
    "{}"
  ],
  [
    "has a decided race forget the scopes nested in its own, and what stands before a race before it",
    "scope/reach.ts",
    "if (reach.before !== undefined) for (const before of reach.before) reaches.add(before)",
    "{}"
  ],
  [
    "does not hold the next gathers back",
    "scope/scope.ts",
    "const held = this.group.next.map(({ index }) => groups[index]!)",
    "const held: Array<GroupWatch> = []"
  ],
  [
    "lets the next gathers go before its own round",
    "scope/quiescence.ts",
    "        } else {\n          // A group that stays",
    "        }\n        {\n          // A group that stays"
  ],
  ["does not pass on that an event has come", "scope/scope.ts", "if (news) watch.hear()", ""],
  [
    "lets gathers in a circle wake each other with nothing",
    "scope/scope.ts",
    "if (watch.come < this.come)",
    "if (true)"
  ],
  [
    "forgets those of a circle that were armed before an event came",
    "scope/scope.ts",
    "for (const watch of this.stale) this.fresh!.add(watch)",
    "for (const watch of this.stale) watch.queued = false"
  ],
  [
    "fires the last of a circle first",
    "scope/scope.ts",
    "a.quiescent.index < b.quiescent.index",
    "a.quiescent.index > b.quiescent.index"
  ],
  [
    "arms a gather for work beyond another",
    "../graph/groups.ts",
    "other !== node && !isGatherOfKind(other)",
    "other !== node"
  ],
  [
    "feeds only the groups that are next to it",
    "../graph/groups.ts",
    "(node) => other(node) === undefined, inside",
    "() => false, inside"
  ],
  [
    "takes the circle of what opens a scope for outside of it",
    "../graph/groups.ts",
    "circleOf(node) >= first[kind]!",
    "circleOf(node) > first[kind]!"
  ],
  [
    "makes one group of all circles",
    "../graph/groups.ts",
    "let group = groupAt[kind]!.get(circleOf(node))",
    "let group = groups[kind]!.at(-1)"
  ],
  [
    "decides a race before all that came with its first has come",
    "flow/router.ts",
    "if (!from.returning) this.scopes.decideRaces()",
    "this.scopes.decideRaces()"
  ],
  [
    "ends while something of it still runs",
    "run/shutdown.ts",
    "return !calls.none || recorder?.observing === true",
    "return false"
  ],
  ["runs what has been cancelled", "flow/lane.ts", "      if (delivery.cancelled) continue\n", ""],
  [
    "takes the keys of an intake for one",
    "intake/cells.ts",
    "this.last?.scope === scope && this.last.key === key",
    "this.last?.scope === scope"
  ],
  [
    "forgets the lanes behind the first",
    "flow/ready.ts",
    "    this.first = lane.following\n",
    "    this.first = undefined\n"
  ],
  [
    "takes surplus for what is missing",
    "intake/cell.ts",
    "if (slot.length === slot.needed) this.lacking--",
    "if (slot.length >= slot.needed) this.lacking--"
  ],
  [
    "counts the time of surplus from its round",
    "intake/join.ts",
    "cell.since + this.within! - timers.now()",
    "this.within!"
  ],
  [
    "gives surplus no deadline",
    "intake/join.ts",
    "    if (this.within !== undefined && !cell.empty) this.startTimer(cell)\n",
    ""
  ],
  ["lets the deadline of a whole round pass", "intake/join.ts", "    timer?.cancel()\n", ""],
  [
    "counts a deadline out before its batch is delivered",
    "run/composition.ts",
    "        activation.then()\n",
    "        if (!outcome.reached) scopes.leave(activation.flight)\n        activation.then()\n        return\n"
  ],
  [
    "calls off the deadline of what a race leaves",
    "flow/timers.ts",
    "void (unwanted() && timer.cancel())",
    "timer.cancel()"
  ],
  ["keeps the deadline of what a race drops", "flow/timers.ts", "void (unwanted() && timer.cancel())", "{}"],
  ["lets a gather run while inputs are open", "scope/quiescence.ts", "if (group.group.sent) group.enter()", "{}"],
  [
    "makes no round of the end of the inputs",
    "scope/quiescence.ts",
    "if (!unwanted.has(watch.quiescent.node)) watch.arm()",
    "{}"
  ],
  [
    "makes a round of the end of the inputs where a race wants none",
    "scope/quiescence.ts",
    "if (!unwanted.has(watch.quiescent.node)) watch.arm()",
    "watch.arm()"
  ],
  [
    "drops what an input could make whole",
    "../graph/graph.ts",
    "race.leadsBackTo(node) || (race.kind === 0 && node.fed)",
    "race.leadsBackTo(node)"
  ],
  ["stalls while its inputs are open", "run/composition.ts", "(!inputs.open && inputs.none)", "inputs.none"],
  [
    "runs gathers though inputs can complete what an intake holds",
    "scope/parking.ts",
    "if (scope === undefined || lacking.length === 0) return",
    "return"
  ],
  [
    "waits for a round that also lacks what cannot come",
    "scope/parking.ts",
    'if (!this.open || routes.every(({ sent }) => sent === "never")) return undefined',
    "if (!this.open) return undefined"
  ],
  [
    "waits for the other half when the inputs are closed",
    "scope/parking.ts",
    "    this.open = false\n    this.lookAgain()\n",
    "    this.open = false\n"
  ],
  [
    "forgets what came from outside and is on its way when the inputs are closed",
    "scope/parking.ts",
    "comingFrom(this.flights.keys())",
    "comingFrom([])"
  ],
  [
    "forgets that what came from outside is on its way no more",
    "scope/parking.ts",
    "if (this.left !== undefined) this.lookAgain()",
    "{}"
  ],
  [
    "takes all of a surplus for one round",
    "scope/parking.ts",
    "Math.floor(this.come[bay]!++ / this.bays[bay]!.needed)",
    "0 * this.come[bay]!++"
  ],
  [
    "keeps a round on its way that has run",
    "scope/parking.ts",
    "if (taken !== undefined) this.move(taken, undefined)",
    ""
  ],
  [
    "leaves in no scope what a step has put together by hand",
    "intake/by-hand.ts",
    "if (delivery.scope.isNone && !scope.isNone) this.run.scopes.moveInto(scope, delivery)",
    ""
  ],
  [
    "waits for what could only come to a decided race",
    "scope/quiescence.ts",
    "if (!scope.owners.some((owner) => owner?.hasDecided)) return true",
    "return true"
  ],
  ["does not look again when a race has been decided", "scope/parking.ts", "this.quiescence.recheck(this)", ""],
  [
    "makes no round of what is on its way in an intake",
    "scope/quiescence.ts",
    "    const { node, scope } = parked\n    scope.use()\n    for (const { kind, index } of node.arms) scope.owners[kind]?.watches[index]?.arm()\n",
    "    const { node, scope } = parked\n    scope.use()\n"
  ],
  [
    "takes what needs more for what inputs alone can lead to",
    "../graph/from-outside.ts",
    'node.intake?.kind === "join" ? node.accepts.length : 1',
    "1"
  ],
  [
    "joins what comes from outside in the scope of the run",
    "intake/cell.ts",
    "if (arrival.scope === scope || (!arrival.scope.isNone && !scope.isNone)) {",
    "if (true) {"
  ],
  [
    "fires gathers of scopes side by side in any order",
    "scope/quiescence.ts",
    "a.scope.number < b.scope.number",
    "a.scope.number > b.scope.number"
  ],
  [
    "fires what is left quiet before all has been cancelled",
    "scope/quiescence.ts",
    "    if (this.together !== undefined) {\n      this.together.push(...quiet)\n      return\n    }\n",
    ""
  ],
  [
    "takes the next lane by chance",
    "flow/ready.ts",
    "    if (this.last === undefined) this.first = lane\n",
    "    if (this.last !== undefined && Math.random() < 0.5) {\n      lane.following = this.first\n      this.first = lane\n      return\n    }\n    if (this.last === undefined) this.first = lane\n"
  ],
  [
    "lets the clock say whether a deadline that has fired is over",
    "intake/join.ts",
    "      over()\n      this.complete(cell)\n",
    "      over()\n      if (timers.now() < cell.since + this.within!) this.startTimer(cell)\n      else this.complete(cell)\n"
  ],
  [
    "decides races when the moment is over",
    "scope/scopes.ts",
    "    this.decideRaces()\n    if (ended !== undefined",
    "    queueMicrotask(() => this.decideRaces())\n    if (ended !== undefined"
  ],
  [
    "ends a cancelled deadline in the middle of a delivery",
    "run/composition.ts",
    "scopes.leaveLater(activation.flight)",
    "scopes.leave(activation.flight)"
  ],
  [
    "keeps what a call collects after a race has cancelled it",
    "intake/by-hand.ts",
    "if (delivery.cancelled) this.dropDecided(list)",
    ""
  ],
  [
    "collects before a host lets the call enter",
    "call/outbox.ts",
    "const look = this.direct.look(defs)",
    "const look = { events: this.direct.collect(defs), stale: () => false }"
  ],
  [
    "gives an early answer to every question that it fits",
    "call/questions.ts",
    "if (Exit.isSuccess(exit)) this.early.splice(at, 1)\n",
    ""
  ],
  [
    "gives an answer to the last of the questions that it fits",
    "call/questions.ts",
    "of this.open) {\n      const exit",
    "of [...this.open].reverse()) {\n      const exit"
  ],
  [
    "drops an answer that comes before its question",
    "call/questions.ts",
    "    this.early.push({ event, id, accepted })\n",
    ""
  ],
  ["keeps the worker of a step that waits for an answer", "call/questions.ts", "      lane.busy--\n", ""],
  [
    "leaves questions open when the inputs are closed",
    "call/questions.ts",
    "[...this.open].map((question) => this.endWith(",
    "[...this.open].filter(({ open }) => !open).map((question) => this.endWith("
  ],
  [
    "gives an answer to whoever waits for its type",
    "call/questions.ts",
    "this.matches === undefined || this.matches(event)",
    "this.matches === undefined || true"
  ],
  [
    "lets a step go on without a worker when it is answered",
    "call/questions.ts",
    "    if (away.open > 0) {\n      go()",
    "    if (away.open >= 0) {\n      go()"
  ],
  [
    "puts a step that is answered behind all that waits for it",
    "call/questions.ts",
    "lane.pushFirst(ticket)",
    "lane.push(ticket)"
  ],
  ["gives a worker first to the step that was answered last", "call/questions.ts", "away.shift()!", "away.pop()!"],
  [
    "keeps a question open when its attempt is over",
    "call/invocation.ts",
    "      questions.withdraw(question)\n      question.drop(reason)",
    "      question.drop(reason)"
  ],
  [
    "does not hold a gather while a step upstream of it waits for an answer",
    "call/questions.ts",
    "      this.run.recorder?.paused(on)\n",
    "      this.run.recorder?.paused(on)\n      ;(this.run as any).scopes.leave(on)\n      ;(this.run as any).scopes.conclude(undefined)\n"
  ],
  [
    "stalls while a question is open and inputs are, too",
    "run/composition.ts",
    "if (!this.calls.none || !this.timers.noneAwaited) return\n    const { inputs } = this\n    if (inputs === undefined ||",
    "const asks = this.questions !== undefined && this.questions.waiting.length > 0\n    if ((!asks && !this.calls.none) || !this.timers.noneAwaited) return\n    const { inputs } = this\n    if (inputs === undefined || asks ||"
  ],
  [
    "retries a step that has got no answer",
    "call/retry.ts",
    "on.node.asks.length === 0 ? again",
    "on.node.asks.length >= 0 ? again"
  ],
  [
    "does not ask anew when a step is retried",
    "call/invocation.ts",
    "    const { run } = this\n    const question =",
    "    const { run } = this\n    const known = (this as any).known\n    if (this.attempts > 1 && known !== undefined) {\n      waiter.settle(known)\n      return undefined as never\n    }\n    const asked = waiter\n    waiter = {\n      drop: (reason) => asked.drop(reason),\n      settle: (exit) => {\n        ;(this as any).known = exit\n        asked.settle(exit)\n      }\n    }\n    const question ="
  ],
  [
    "holds back what is streamed until the attempt succeeds",
    "call/outbox.ts",
    "if (this.direct.streams(accepted)) this",
    "if (false) this"
  ],
  [
    "drops what is streamed by a step that may be retried",
    "call/outbox.ts",
    "if (this.direct.streams(accepted)) this.direct.stream(accepted)",
    "if (this.direct.streams(accepted)) return"
  ],
  [
    "holds back a question until the attempt succeeds",
    "call/invocation.ts",
    "    run.router.emit(this, event, false)\n    run.questions",
    "    this.outbox.emit(event)\n    run.questions"
  ],
  [
    "applies a call's writes before its settlement",
    "call/outbox.ts",
    "    this.written.set(state, value)\n",
    "    this.written.set(state, value)\n    this.direct.set(state, value)\n"
  ],
  [
    "begins a durable call before what led to it is stored",
    durable("calls.ts"),
    "if (live && writer.done) return body.run()",
    "if (live) return body.run()"
  ],
  [
    "lets the calls of a journal enter in the order in which they were asked for",
    durable("calls.ts"),
    "const asked = this.asked.get(key)\n",
    "const asked = [...this.asked.values()][0]\n"
  ],
  [
    "forgets when a durable timer is due",
    durable("history.ts"),
    'if ("t" in entry) dues.set(entry.t, entry.d)',
    'if ("t" in entry) {}'
  ],
  [
    "makes a call again that its journal holds",
    durable("calls.ts"),
    "if (this.ends(key)) return history.begins(key) ? this.replaying(key, body) : undefined\n",
    ""
  ],
  [
    "takes a message again that its journal holds",
    durable("history.ts"),
    'else if ("m" in entry) this.messages = entry.m',
    'else if ("m" in entry) {}'
  ],
  [
    "does not start the timers that a journal leaves waiting",
    durable("timers.ts"),
    "for (const [key, timer] of this.timers) this.tick(key, timer)",
    ""
  ],
  ["does not record that a durable timer has fired", durable("timers.ts"), "this.run.record({ z: key })", ""],
  [
    "takes each durable attempt of a journal for the first",
    durable("journal.ts"),
    "attempt: entry.n ?? 1",
    "attempt: 1"
  ]
]

export const fileOf = ([, file]: Mutant): string => join(runtime, file)

/** The file's text with the mistake. */
export const plant = ([name, file, from, to]: Mutant, text: string): string => {
  if (!text.includes(from)) throw new Error(`mutant '${name}': its text is no longer in ${file}; update the mutant`)
  return text.replace(from, () => to)
}
