"""Which nodes of a graph a picture shows: those of a module in a frame, and of what repeats itself only the first time.

The operations are a tree: calls of modules, and calls within calls.  In every frame of the tree, the sequence of
operations and inner frames is searched for repetitions (`repeats`).  The first repetition stays and gets a number, as
in "x12"; what stands in the others is hidden, and an arrow from or to it becomes one from or to its counterpart in the
first.  What is still too large is closed: frames from the innermost outwards, then the middle of the graph.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from minigrad.graph.capture import Entry, Graph
from minigrad.graph.repeats import find_runs
from minigrad.graph.watching import Call

# By themselves, loops are folded in larger graphs only, and only where that hides enough.
COMFORTABLE = 60
WORTHWHILE = 12

Path: TypeAlias = tuple[Call, ...]


class Frame:
    """A part of the picture with a frame around it: a call of a module, or what repeats itself.

    Attributes
    ----------
    outer : Frame or None
        None of the whole picture.
    call : Call or None
        None of the whole picture, and of a repetition of several things.
    sources : list of int
        The leaves and constants that only this frame uses, by index.
    items : list of (int or Frame)
        Operations and inner frames, in the order of computation.
    count : int
        How many times it stands in the graph.
    last : Call or None
        The last one of those.
    closed : bool
        Whether it is drawn as a single box.
    """

    def __init__(self, outer: "Frame | None", call: Call | None = None) -> None:
        self.outer, self.call = outer, call
        self.sources: list[int] = []
        self.items: list[int | Frame] = []
        self.count, self.closed = 1, False
        self.last: Call | None = None

    @property
    def depth(self) -> int:
        """How many modules it is inside of; the frames of repetitions do not count."""
        depth, frame = 0, self.outer
        while frame is not None:
            depth += frame.call is not None
            frame = frame.outer
        return depth

    @property
    def title(self) -> str:
        """What it is called, as in ``blocks.0: Block``."""
        if self.call is None:
            return ""
        first = str(self.call)
        name = first if self.last is None else f"{first} … {self.last}"
        return name if first.split(" ")[0] == self.call.kind else f"{name}: {self.call.kind}"

    @property
    def path(self) -> str:
        """The path of its module in the outermost one."""
        names = []
        frame: Frame | None = self
        while frame is not None:
            names += [frame.call.name] if frame.call is not None and frame.call.name else []
            frame = frame.outer
        return ".".join(reversed(names))

    def own(self) -> list[int]:
        """The entries that stand in the frame itself."""
        return [*self.sources, *(item for item in self.items if not isinstance(item, Frame))]

    def entries(self) -> list[int]:
        """All entries within it, in order."""
        return sorted(entry for frame in self.frames() for entry in frame.own())

    def frames(self) -> "Iterator[Frame]":
        """The frame itself and all within it."""
        stack = [self]
        while stack:
            frame = stack.pop()
            yield frame
            stack.extend(item for item in reversed(frame.items) if isinstance(item, Frame))

    def operations(self) -> list[int]:
        """All operations within it, in order."""
        found: list[int] = []
        stack: list[int | Frame] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, Frame):
                stack.extend(reversed(item.items))
            else:
                found.append(item)
        return found


class Folding:
    """A graph as a tree of frames, folded.

    Parameters
    ----------
    graph : Graph
    depth : int, optional
        How many levels of modules to show from the inside.  By default as many as `limit` allows.
    fold : bool, optional
        Whether to draw what repeats itself once.  By default modules do, and in large graphs everything.
    limit : int
        Of how many boxes the picture may consist.
    alike : bool
        Whether equal modules may be drawn once; not if they shall be compared.

    Attributes
    ----------
    root : Frame
    stands_for : dict of int to int
        For a hidden entry the one that is shown in its place.
    skipped : frozenset of int
        The entries between the first and the last ones, if they are left out.
    """

    def __init__(
        self, graph: Graph, depth: int | None = None, fold: bool | None = None, limit: int = 200, alike: bool = True
    ) -> None:
        self.graph = graph
        self.alike = alike or fold is True
        self.stands_for: dict[int, int] = {}
        self.skipped: frozenset[int] = frozenset()
        # For what is in a repetition: which, from the outermost to the innermost.
        self._runs: dict[int, tuple[int, ...]] = {}
        self._run_count = 0
        self.root = self._tree()
        if fold is not False:
            self._fold(1 if fold else WORTHWHILE if len(graph) > COMFORTABLE else len(graph))
        self._hide_sources()
        self.close(depth, limit)

    # The tree

    def _tree(self) -> Frame:
        root = Frame(None)
        frames: dict[Path, Frame] = {(): root}
        paths: dict[int, Path] = {}

        def frame_of(path: Path) -> Frame:
            if path not in frames:
                outer = frame_of(path[:-1])
                frames[path] = Frame(outer, path[-1])
                outer.items.append(frames[path])
            return frames[path]

        any_calls = any(e.part or (e.trace is not None and e.trace.calls) for e in self.graph)
        for entry in self.graph:
            if entry.op is not None:
                paths[entry.index] = path = _path(entry) if any_calls else ()
                frame_of(path).items.append(entry.index)
        # What was not computed stands in the innermost frame that holds all of its users.
        common: dict[int, Path] = {}
        for entry in self.graph:
            for i in entry.inputs:
                if i is not None and self.graph[i].op is None:
                    common[i] = _shared(common[i], paths[entry.index]) if i in common else paths[entry.index]
        for entry in self.graph:
            if entry.op is None:
                path = () if entry.kind == "input" else common.get(entry.index, ())
                frames[path].sources.append(entry.index)
        return root

    # Repetitions

    def _fold(self, least: int) -> None:
        """Fold all repetitions of modules, and others where at least so many operations are hidden by that."""
        kinds = _Kinds(self.graph)
        stack = [self.root]
        while stack:
            frame = stack.pop()
            sequence = [(kinds.of(item), kinds.operands(item, frame)) for item in frame.items]
            runs = find_runs([kind for kind, _ in sequence], [operands for _, operands in sequence])
            for run in reversed(runs):
                parts = frame.items[run.start : run.stop]
                modules = all(isinstance(part, Frame) for part in parts)
                if self.alike if modules else run.period * (run.times - 1) >= least:
                    kept = self._fold_run(frame, parts, run.period, run.times)
                    frame.items[run.start : run.stop] = [kept]
            stack.extend(item for item in frame.items if isinstance(item, Frame))

    def _fold_run(self, outer: Frame, parts: list[int | Frame], period: int, count: int) -> Frame:
        """The frame of the first repetition; the others are hidden."""
        first = parts[:period]
        if period == 1 and isinstance(first[0], Frame):
            kept, last = first[0], parts[-1]
            kept.last = last.call if isinstance(last, Frame) else None
        else:
            kept = Frame(outer)
            kept.items = first
            for item in first:
                if isinstance(item, Frame):
                    item.outer = kept
        kept.count = count
        run, self._run_count = self._run_count, self._run_count + 1
        shown = _operations(first)
        for start in range(0, len(parts), period):
            for i, entry in enumerate(_operations(parts[start : start + period])):
                self._runs[entry] = (*self._runs.get(entry, ()), run)
                if start:
                    self.stands_for[entry] = shown[i]
        return kept

    def _hide_sources(self) -> None:
        """Hide the leaves and constants that only hidden operations use."""
        if not self.stands_for:
            return
        outputs = set(self.graph.outputs)
        users: dict[int, int | None] = {}  # of each source a hidden user, or None if one is shown
        for entry in self.graph:
            for i in entry.inputs:
                if i is None or self.graph[i].op is not None:
                    continue
                if entry.index in self.stands_for:
                    users.setdefault(i, entry.index)
                else:
                    users[i] = None
        for source, user in users.items():
            if user is None or self.graph[source].kind == "input" or source in outputs:
                continue
            shown = self.graph[self.shown(user)]
            slot = self.graph[user].inputs.index(source)
            counterpart = shown.inputs[slot]
            if counterpart is not None and counterpart != source and self._are_alike(source, counterpart):
                self.stands_for[source] = counterpart
        frames = list(self.root.frames())
        for frame in frames:
            frame.sources = [source for source in frame.sources if source not in self.stands_for]
        # What has no counterpart, and stands in a frame that is not shown.
        placed = {source for frame in frames for source in frame.sources}
        lost = [source for source in users if source not in placed and source not in self.stands_for]
        self.root.sources = sorted([*self.root.sources, *lost])

    def _are_alike(self, one: int, other: int) -> bool:
        a, b = self.graph[one], self.graph[other]
        return (a.kind, a.shape, a.dtype) == (b.kind, b.shape, b.dtype)

    def shown(self, index: int) -> int:
        """The entry that is shown for this one: itself, or its counterpart in the first repetition."""
        while index in self.stands_for:
            index = self.stands_for[index]
        return index

    def repeats(self, entry: int, operand: int) -> bool:
        """Whether the arrow from the operand to the entry is like one that the first repetition shows."""
        if entry not in self.stands_for:
            return False
        if self.graph[operand].op is None:
            first = self.graph[self.shown(entry)]
            return self.shown(operand) in [self.shown(i) for i in first.inputs if i is not None]
        # The innermost repetition is the one that hides the entry: what is hidden is not searched for others.
        return self._runs[entry][-1] in self._runs.get(operand, ())

    # What is too large

    def close(self, depth: int | None, limit: int) -> None:
        """Close the modules below a depth, or as many as the limit asks for, and leave out the middle if need be."""
        frames = list(self.root.frames())[1:]
        if depth is None:
            # How many boxes there are when frames of each depth are closed.
            deepest = max((frame.depth for frame in frames), default=0)
            depth = next((d for d in range(deepest + 1, -1, -1) if self.boxes(d) <= limit), 0)
        for frame in frames:
            frame.closed = frame.call is not None and frame.depth >= depth
        self.skipped = frozenset(self._middle(limit) if self.boxes(depth) > limit else ())

    def _middle(self, limit: int) -> Iterator[int]:
        """The entries of all boxes but the first and the last ones; what was not computed goes with its first user."""
        boxes: list[list[int]] = []
        for frame in self.open_frames():
            boxes += [[entry] for entry in frame.own()]
            boxes += [item.entries() for item in frame.items if isinstance(item, Frame) and item.closed]
        # Of each entry, when its box is computed.
        time: dict[int, int] = {}
        for entries in boxes:
            time |= dict.fromkeys(entries, next((i for i in entries if self.graph[i].op is not None), len(self.graph)))
        for entry in self.graph:
            for i in entry.inputs:
                if i is not None and i in time:
                    time[i] = min(time[i], time[self.shown(entry.index)])
        boxes.sort(key=lambda entries: (time[entries[0]], self.graph[entries[-1]].op is not None, entries[0]))
        for entries in boxes[limit - limit // 2 : len(boxes) - limit // 2]:
            yield from entries

    def boxes(self, depth: int) -> int:
        """How many boxes there would be with all modules below that depth closed."""
        count, stack = 0, [self.root]
        while stack:
            frame = stack.pop()
            if frame.call is not None and frame.depth >= depth:
                count += 1
                continue
            count += len(frame.own())
            stack.extend(item for item in frame.items if isinstance(item, Frame))
        return count

    def open_frames(self) -> Iterator[Frame]:
        """The frames that are drawn with their content."""
        stack = [self.root]
        while stack:
            frame = stack.pop()
            if not frame.closed:
                yield frame
                stack.extend(item for item in reversed(frame.items) if isinstance(item, Frame))


def _operations(parts: list[int | Frame]) -> list[int]:
    return [entry for part in parts for entry in (part.operations() if isinstance(part, Frame) else [part])]


def _path(entry: Entry) -> Path:
    """The calls that an operation stands in; the parts of a derivative stand apart."""
    trace = entry.trace
    if trace is None:
        return entry.part
    if trace.level:
        return (Call("", "derivative" if trace.level == 1 else f"derivative {trace.level}", 0), *trace.calls)
    return trace.calls


def _shared(one: Path, other: Path) -> Path:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return one[:length]


class _Kinds:
    """A number for every operation and frame; equal ones, inside too, have equal numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.numbers: dict[object, int] = {}
        self.frames: dict[Frame, int] = {}

    def _number(self, what: object) -> int:
        return self.numbers.setdefault(what, len(self.numbers))

    def of(self, item: int | Frame) -> int:
        """The kind of an item."""
        return self._operation(item) if not isinstance(item, Frame) else self._frame(item)

    def _operation(self, index: int) -> int:
        entry = self.graph[index]
        numbers = tuple(i is None for i in entry.inputs)
        level = 0 if entry.trace is None else entry.trace.level
        return self._number((entry.op, entry.shape, entry.dtype, numbers, level))

    def _frame(self, frame: Frame) -> int:
        if frame not in self.frames:
            inside = frame.operations()
            place = {entry: i for i, entry in enumerate(inside)}
            content = tuple((self._operation(e), *(place.get(i, -1) for i in self._inputs(e))) for e in inside)
            self.frames[frame] = self._number((frame.call and frame.call.kind, content))
        return self.frames[frame]

    def _inputs(self, entry: int) -> list[int]:
        return [-1 if i is None else i for i in self.graph[entry].inputs]

    def operands(self, item: int | Frame, frame: Frame) -> list[int]:
        """The places in the frame of what an item is computed from; negative numbers for what is not in the frame."""
        places = self._places(frame)
        found = []
        for entry in item.operations() if isinstance(item, Frame) else [item]:
            for i in self.graph[entry].inputs:
                if i is None:
                    continue
                source = self.graph[i]
                if source.op is None:
                    found.append(-3 - self._number((source.kind, source.shape, source.dtype)))
                elif places.get(i) != places[entry]:
                    found.append(places.get(i, -1))
        return found

    def _places(self, frame: Frame) -> Mapping[int, int]:
        if getattr(self, "placed", None) is not frame:
            self.placed = frame
            self.places = {
                entry: place
                for place, item in enumerate(frame.items)
                for entry in (item.operations() if isinstance(item, Frame) else [item])
            }
        return self.places
