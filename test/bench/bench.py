#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures kith against a direct connection and pairs of proxies.

  bench.py [--seconds N] [--rounds N] [--json] [--only NAME,NAME]

The stacks are measured in turn, round after round, and the medians printed, so
that a change of the machine's mood hits all of them."""

import argparse
import json
import pathlib
import statistics
import sys

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "e2e")]

# pylint: disable=wrong-import-position
import measure
import stacks
import table
from pairs import PAIRS
from rig.forge import Forge

_SHELF = ("direct", "kith", "kith-direct", *(pair.name for pair in PAIRS))


def _say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """All stacks run from the beginning to the end; one is loaded at a time."""

    def __init__(self, options):
        self._options = options
        self._program = stacks.load_program()
        self._network = stacks.network()
        self._node = self._network.client
        self._loads = measure.Loads(self._node, self._program, options.seconds)
        self._figures = {}  # stack -> key -> list of figures
        self.facts = {}

    def run(self):
        self._serve(self._node, stacks.SERVER_PORT, managed=False)
        if "kith" in self._options.only:
            self.facts["connectNanosWithoutKith"] = \
                self._loads.connect_cost(managed=True)
        running = self._start()
        for number in range(self._options.rounds):
            # Another one begins in each round.
            shift = number % len(running)
            for stack in running[shift:] + running[:shift]:
                self._measure(stack, number)
        for stack in running:
            stack.stop()

    def _serve(self, node, port, managed):
        server = node.spawn(
            [self._program, "serve", stacks.ADDRESS, port], managed=managed,
            group="server" if managed else "")
        server.await_listening(port)

    def _start(self):
        forge = Forge.with_own_authority(self._network.directory / "forge",
                                         "pair.bench")
        credential = forge.svid("pair", "pair.bench", dns_name=stacks.NAME)
        running = [stacks.Direct()]
        if "kith" in self._options.only:
            kith = stacks.Kith(self._network, self._program)
            running.append(kith)
            self._start_kith(kith)
        if "kith-direct" in self._options.only:
            joining = stacks.KithDirect(stacks.network(), self._program)
            running.append(joining)
            joining.start()
            self._serve(joining.node, joining.port, managed=True)
        for pair in PAIRS:
            if pair.name in self._options.only:
                running.append(pair(self._network, credential, forge.bundle))
                running[-1].start()
        return [stack for stack in running if stack.name in self._options.only]

    def _start_kith(self, kith):
        kith.start()
        self.facts["idleAgentMegabytes"] = measure.megabytes(kith.pids, "Rss")
        self._serve(kith.node, kith.port, managed=True)
        self.facts["connectNanosWithKith"] = \
            self._loads.connect_cost(managed=True)

    def _measure(self, stack, number):
        figures = self._figures.setdefault(stack.name, {})
        loads = [self._loads.bulk, self._loads.latency,
                 self._loads.connections]
        if stack.pids:
            loads.append(self._loads.memory)
        for load in loads:
            _say(f"round {number + 1}: {stack.name}: {load.__name__}")
            for key, figure in load(stack).items():
                figures.setdefault(key, []).append(figure)

    def medians(self):
        return {name: {key: statistics.median(values)
                       for key, values in figures.items()}
                for name, figures in self._figures.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default=",".join(_SHELF),
                        type=lambda text: text.split(","))
    options = parser.parse_args()
    bench = Bench(options)
    bench.run()
    results = {name: figures for name in _SHELF
               for known, figures in bench.medians().items() if known == name}
    pair_names = [pair.name for pair in PAIRS]
    if options.json:
        print(json.dumps({
            "results": results, "facts": bench.facts,
            "bestPair": table.best_pair(results, pair_names),
            "rounds": options.rounds, "seconds": options.seconds}, indent=1))
        return
    print("\n".join(table.render(results, pair_names) +
                    table.render_facts(bench.facts)))


if __name__ == "__main__":
    main()
