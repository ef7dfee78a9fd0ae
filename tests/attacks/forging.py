"""Attacks on the marks: forged evidence, patched libraries, the reference in memory, ways around the seed."""

from __future__ import annotations

from tests.attacks.attack import Attack

# Finds the channel of the evidence, which is the child's own.
_CHANNEL = """
import json, os, socket, struct
channel = None
for descriptor in range(3, 64):
    try:
        channel = socket.socket(fileno=descriptor)
        break
    except OSError:
        pass
globals()["channel"] = channel  # else it would be closed at the end
def send(header, blob=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    channel.sendall(struct.pack("<II", len(text), len(blob)) + text + blob)
def experiment(name, values=None, blob=b"", failure=None):
    send({"experiment": name, "values": values or {}, "failure": failure}, blob)
def arrays(**given):
    from safetensors.numpy import save
    import numpy as np
    return save({name.replace("_", " "): np.ascontiguousarray(value) for name, value in given.items()})
"""
NOTHING = {
    "CalligraphyDataset": '''
class CalligraphyDataset:
    """Batches of binarised images of a folder of JPG files (Section 4.1)."""

    def __init__(self, *args, **kwargs):
        pass
'''
}
_FORM = "evidence of another form than the test returns is refused and earns nothing"


def _forge(code: str) -> str:
    import textwrap

    return _CHANNEL.strip("\n") + "\n" + textwrap.dedent(code).strip("\n")


_NAMES_C3 = (
    '["first", "second", "own size", "traced", "first support", "second support", "strides down", "strides right", '
    '"strides integer", "integer size", "larger integer size", "default size", "default arguments", "initial", '
    '"activation text tanh", "activation text softplus", "activation function tanh", "activation function softplus"]'
)

FORGING = (
    Attack(
        "verdicts-in-frames",
        "sends frames with a verdict, points and a pass for every criterion, then says that it is done",
        "no frame holds a verdict: only values, arrays and failures are read from it",
        _forge(
            f"""
            for name in {_NAMES_C3}:
                boast = {{"verdict": "PASS", "points": 12, "passed": True}}
                send({{"experiment": name, "values": {{}}, "failure": None, **boast}})
            send({{"done": True, "verdict": "PASS", "points": 12}})
            """
        ),
        item="C3",
        loading=True,
        edits=("C3-zeros",),
        deserves={"C3": 0},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "not-a-number-evidence",
        "sends NaN and infinity wherever a number is expected, so that every comparison is odd",
        "what is not finite never passes",
        _forge(
            f"""
            import numpy as np
            bad = np.full((2, 7, 9, 5), np.nan, np.float32)
            bad[0] = np.inf
            for name in {_NAMES_C3}:
                experiment(
                    name,
                    {{"shapes": [[2, 3, 3, 5], [5]], "count": 95, "unreached": float("nan")}},
                    arrays(outputs=bad, outputs_in_training=bad, gradient_of_the_input=bad, kernels_0=bad),
                )
            send({{"done": True}})
            """
        ),
        item="C3",
        loading=True,
        edits=("C3-zeros",),
        deserves={"C3": 0},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "absurd-arrays",
        "sends arrays without axes, with 60 axes, without elements, of one element and of types that nobody has",
        _FORM,
        _forge(
            """
            import numpy as np
            odd = [np.float32(1), np.zeros((1,) * 60), np.zeros((0, 3)), np.ones(5, bool)]
            odd.append(np.ones((2, 32, 32, 1), np.int8))
            wrong = json.dumps({"images": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}).encode()
            wrong = struct.pack("<Q", len(wrong)) + wrong + b"abcd"
            for number, name in enumerate(["colours", "levels", "strokes", "speckled", "stripes", "shapes"]):
                value = odd[number % len(odd)]
                given = {str(number): value for number in range(6)}
                experiment(name, {"size": 4}, arrays(images=value, input=value, target=value, **given))
            full = {"sizes": [2, 2, 2], "size": 2, "allowed": [6], "same again": True}
            experiment("full batches", full, arrays(images=odd[0]))
            experiment("partial batch", {"sizes": [3, 3, 1], "size": 3, "allowed": [7], "same again": True}, wrong)
            send({"done": True})
            """
        ),
        item="C1",
        loading=True,
        edits=("C2-half",),
        deserves={"C1": 0, "C2": 0},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "supports-of-another-shape",
        "sends maps of what each pixel sees that have one axis, or differ from each other",
        _FORM,
        _forge(
            """
            import numpy as np
            for name in "main", "second":
                weights = {"shapes": [[1]], "count": 1, "unreached": 0}
                experiment(name, weights, arrays(outputs=np.zeros((2, 6, 7, 5), np.float32)))
            experiment("support", {}, arrays(by_gradient=np.zeros(6, np.uint8), by_change=np.ones(6, np.uint8)))
            send({"done": True})
            """
        ),
        item="C7",
        edits=("C7-zeros",),
        deserves={"C7": 2},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "too-many-images",
        "sends tens of thousands of images, so that to compare them takes the grader's memory",
        "more images than there are is wrong before anything is compared",
        _forge(
            """
            import numpy as np
            many = np.zeros((28_000, 32, 32, 1), np.uint8)
            many.reshape(-1)[:: 7] = 1
            experiment("strokes", {}, arrays(images=many))
            full = {"sizes": [2, 2, 2], "size": 2, "allowed": [6], "same again": True}
            experiment("full batches", full, arrays(images=many[:3000]))
            send({"done": True})
            """
        ),
        edits=("C2-half",),
        deserves={"C2": 1.5},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "too-many-weights",
        "sends millions of initial weights, so that to test their distribution takes the grader's time",
        "a sample of them is tested",
        _forge(
            """
            import numpy as np
            much = np.random.default_rng(1).normal(0, 0.05, 14_000_000).astype(np.float16)
            experiment("initial", {}, arrays(kernels_0=much))
            """
        ),
        item="C5",
        flagged=("import json, os, socket",),
    ),
    Attack(
        "hostile-text",
        "sends failures and names with scripts, halves of surrogate pairs, control characters and 200 000 characters",
        "all text is cut, cleaned and escaped before it is shown",
        _forge(
            """
            text = "<script>alert(1)</script><img src=x onerror=alert(1)>\\ud800\\x00\\x1b[2J"
            text += " =cmd|' /C calc'!A0 [x](javascript:alert(1))"
            for name in "shapes", "colours", "levels", "<script>alert(2)</script>", "a\\x1fb", "":
                experiment(name, {text: text}, failure={"kind": text, "message": text * 1000, "where": text})
            experiment("strokes", failure={"kind": ["<script>"], "message": {"a": 1}, "where": None})
            experiment("speckled", failure="<script>alert(3)</script>")
            send({"done": True})
            """
        ),
        verdict="FAIL",
        flagged=("import json, os, socket",),
    ),
    Attack(
        "odd-json",
        "sends headers with numbers of thousands of digits, depths of thousands of brackets and keys twice",
        "a header that is no object of JSON ends the run",
        _forge(
            """
            send(b'{"experiment": "levels", "values": {"a": ' + b"9" * 4000 + b'}, "experiment": "colours"}')
            send(b'{"experiment": "shapes", "values": {"size": ' + b"[" * 900 + b"]" * 900 + b"}}")
            send(b'{"experiment": "strokes", "values": {"size": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}")
            """
        ),
        verdict="FAIL",
        flagged=("import json, os, socket",),
    ),
    Attack(
        "constants-for-c1",
        "has no data set class worth the name and sends C1's numbers as they are in the public kit",
        "the numbers of pictures, the batch sizes and the folder are drawn from the class's seed",
        _forge(
            """
            @KIT_C1@
            send({"done": True})
            """
        ),
        item="C1",
        loading=True,
        replaces=NOTHING,
        deserves={"C1": 0},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "constants-for-c2",
        "sends C2's images as they are in the public kit",
        "grey levels, colours and strokes are drawn from the class's seed",
        _forge(
            """
            @KIT_C2@
            send({"done": True})
            """
        ),
        item="C1",
        loading=True,
        replaces=NOTHING,
        deserves={"C1": 0, "C2": 2},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "constants-for-c3",
        "sends C3's evidence as it is in the public kit",
        "sizes, inputs and weights are drawn from the class's seed",
        _forge(
            """
            @KIT_C3@
            send({"done": True})
            """
        ),
        item="C3",
        loading=True,
        edits=("C3-zeros",),
        deserves={"C3": 2},
        flagged=("import json, os, socket",),
    ),
    Attack(
        "patched-numpy",
        "makes every comparison and every array of NumPy say what it likes",
        "nothing is compared where it runs: its NumPy is not the judge's",
        """
        import numpy as np
        for name in "allclose", "array_equal", "isclose", "all", "any", "isfinite":
            setattr(np, name, lambda *args, **kwargs: True)
        np.max = np.amax = np.mean = lambda *args, **kwargs: 0.0
        """,
        item="C5",
        edits=("C5-identity",),
        flagged=("setattr(np, name",),
    ),
    Attack(
        "patched-tensorflow",
        "replaces GradientTape, convert_to_tensor and the layers of Keras by its own",
        "what it measures with them are its own numbers, and they are not the reference's",
        """
        import tensorflow as tf
        class Tape:
            def __enter__(self):
                return self
            def __exit__(self, *args):
                pass
            def watch(self, x):
                pass
            def gradient(self, y, x, **kwargs):
                return [tf.zeros_like(one) for one in x] if isinstance(x, list) else tf.ones_like(x)
        tf.GradientTape = Tape
        tf.keras.layers.Dense.call = lambda self, x: x
        """,
        item="C5",
        edits=("C5-identity",),
        flagged=("tf.GradientTape = Tape", "tf.keras.layers.Dense.call ="),
    ),
    Attack(
        "patched-serialisers",
        "patches json, safetensors and the frames so that all evidence says PASS and holds ones",
        "the trusted side reads numbers, and these are wrong",
        """
        import json, sys
        import numpy as np
        from graders.probes import wire
        from graders.sandbox import frames
        import safetensors.numpy
        was = json.dumps
        json.dumps = lambda thing, **how: was({**thing, "verdict": "PASS"} if isinstance(thing, dict) else thing, **how)
        save = wire.save
        wire.save = safetensors.numpy.save = lambda arrays: save({k: np.ones_like(v) for k, v in arrays.items()})
        """,
        item="C5",
        edits=("C5-identity",),
        flagged=("from graders.probes", "json.dumps =", "wire.save ="),
    ),
    Attack(
        "patched-graders",
        "replaces the judge of its item, the checks and the probe by functions that pass",
        "no judge runs where it runs",
        """
        import sys
        from graders import checks, judge
        from graders.assignments import pixelcnn
        from graders.model import Outcome
        def passes(self, mine, theirs):
            for name in "shape values parameters gradients activation dynamic_batch initializer".split():
                yield Outcome(name, True, "", "")
        type(pixelcnn.GRADERS["C5"]).judge = passes
        checks.close = checks.shape = lambda name, *args: Outcome(name, True, "", "")
        sys.modules["graders.judge"]._same_form = lambda *args: True
        """,
        item="C5",
        edits=("C5-identity",),
        flagged=("from graders import checks", "checks.close ="),
    ),
    Attack(
        "patched-isinstance",
        "has a data set that is no Sequence and makes isinstance say that it is one",
        "the question is asked of other objects too, in an order drawn from the seed",
        """
        import builtins
        import keras
        was = isinstance
        builtins.isinstance = lambda thing, kinds: kinds is keras.utils.PyDataset or was(thing, kinds)
        """,
        item="C1",
        replaces={
            "CalligraphyDataset": """
class CalligraphyDataset:
    def __init__(self, image_dir, batch_size, **kwargs):
        self.image_dir = image_dir
        self.batch_size = batch_size
        self.image_paths = sorted(glob.glob(os.path.join(image_dir, "*.jpg")))

    def __len__(self):
        return int(np.ceil(len(self.image_paths) / self.batch_size))
"""
        },
        flagged=("builtins.isinstance =",),
    ),
    Attack(
        "equal-to-everything",
        "keeps attributes that are equal to whatever they are compared with",
        "evidence is plain numbers and texts, taken from the attribute, not its answer to a comparison",
        """
        class Everything(int):
            def __eq__(self, other):
                return True
            __hash__ = int.__hash__
        class Text(str):
            def __eq__(self, other):
                return True
            def startswith(self, other):
                return True
            __hash__ = str.__hash__
        globals()["EVERYTHING"], globals()["TEXT"] = Everything(7), Text("nowhere")
        """,
        item="C1",
        replaces={
            "CalligraphyDataset": """
class CalligraphyDataset(keras.utils.Sequence):
    def __init__(self, image_dir, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.image_dir = image_dir
        self.a, self.b = globals().get("EVERYTHING"), globals().get("TEXT")
        del self.image_dir

    def __len__(self):
        return 3
"""
        },
        flagged=("def __eq__",),
    ),
    Attack(
        "search-memory",
        "searches all objects, frames, modules and cached sources for expected values and for the reference",
        "expected values never enter the process, and the reference only where an item below it is wrong",
        """
        import gc, linecache, sys
        frame = sys._getframe()
        while frame:
            print(frame.f_code.co_name, sorted(frame.f_locals))
            frame = frame.f_back
        for thing in gc.get_objects():
            if getattr(thing, "__module__", "") == "__reference__" or type(thing).__name__ == "Evidence":
                print("SUCCEEDED", type(thing))
        for name, entry in linecache.cache.items():
            if "BEGIN " + "SOLUTION" in str(entry) and "cell" not in name:
                print("SUCCEEDED", name)
        for name in list(sys.modules):
            if name.startswith(("reference", "graders.engine", "graders.store", "graders.judge")):
                print("SUCCEEDED", name)
        """,
        item="C7",
        flagged=("sys._getframe", "gc.get_objects"),
    ),
    Attack(
        "steal-in-follow-through",
        "has a wrong C3, finds the reference's C3 where it stands in for it and puts it in the place of its own",
        "that run judges C6 alone, which has the reference's C3 by right; nothing of it is said in a report",
        """
        import gc
        for thing in gc.get_objects():
            if isinstance(thing, type) and getattr(thing, "__module__", "") == "__reference__":
                print("found the reference", thing.call.__code__.co_consts)
                globals()["DownRightMovedConv2d"] = thing
                thing.call.__code__.co_consts
        """,
        item="C6",
        edits=("C3-pads-bottom",),
        flagged=("gc.get_objects",),
    ),
    Attack(
        "relay-out",
        "has a wrong C3 and leaves the reference's, which stands in for it, where another submission may find it",
        "what a child leaves is gone with it: no file, shared memory, queue, key or socket outlives or leaves it",
        """
        import ctypes, gc, marshal, os, socket, time
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmat.restype = ctypes.c_void_p
        for thing in gc.get_objects():
            if not (isinstance(thing, type) and getattr(thing, "__module__", "") == "__reference__"):
                continue
            if "call" not in vars(thing):
                continue
            code = marshal.dumps(thing.call.__code__)
            for folder in "/tmp", "/dev/shm", "/var/tmp", "/scratch", os.getcwd(), os.path.dirname(os.getcwd()):
                try:
                    open(f"{folder}/relay", "wb").write(code)
                except OSError:
                    pass
            segment = libc.shmget(0x5EC2E7, 65536, 0o1666)
            if segment >= 0:
                ctypes.memmove(libc.shmat(segment, None, 0), code, len(code))
            queue = libc.mq_open(b"/relay", 0o102, 0o666, None)
            libc.mq_send(queue, code, len(code), 1)
            libc.syscall(248, b"user", b"relay", code, len(code), -4)
            try:
                listening = socket.socket(socket.AF_UNIX)
                listening.bind("\\0relay-of-a-student")
                listening.listen()
                listening.settimeout(3)
                listening.accept()[0].sendall(code)
            except OSError:
                pass
            time.sleep(1)
        """,
        item="C6",
        edits=("C3-pads-bottom",),
        flagged=("ctypes.CDLL", "gc.get_objects", "marshal.dumps"),
        confines=True,
    ),
    Attack(
        "relay-in",
        "takes another child's C3 from every place where one may have been left, and runs it in place of its own",
        "as above: nothing is there",
        """
        import ctypes, marshal, os, socket, time, types
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmat.restype = ctypes.c_void_p
        found = b""
        for _ in range(8):
            for folder in "/tmp", "/dev/shm", "/var/tmp", "/scratch", os.getcwd(), os.path.dirname(os.getcwd()):
                try:
                    found = found or open(f"{folder}/relay", "rb").read()
                except OSError:
                    pass
            segment = libc.shmget(0x5EC2E7, 65536, 0o666)
            if segment >= 0:
                found = found or ctypes.string_at(libc.shmat(segment, None, 0), 65536)
            buffer = ctypes.create_string_buffer(1 << 16)
            size = libc.mq_receive(libc.mq_open(b"/relay", 0o4000), buffer, 1 << 16, None)
            found = found or buffer.raw[: max(0, size)]
            try:
                with socket.socket(socket.AF_UNIX) as asking:
                    asking.connect("\\0relay-of-a-student")
                    found = found or asking.recv(1 << 16)
            except OSError:
                pass
            time.sleep(0.25)
        if found:
            print("SUCCEEDED")
            DownRightMovedConv2d.call = types.FunctionType(marshal.loads(found), globals())
        """,
        item="C3",
        edits=("C3-pads-bottom",),
        flagged=("ctypes.CDLL", "marshal.loads"),
        confines=True,
    ),
    Attack(
        "knows-it-is-graded",
        "looks whether graders is loaded or on the stack and then returns the kit's numbers instead of its own",
        "the class is graded with a seed of its own, for which it knows no numbers",
        """
        import inspect, sys
        graded = "graders" in sys.modules or any("graders" in frame.filename for frame in inspect.stack())
        print("graded", graded)
        known = tf.constant(@KIT_OUTPUT@, tf.float32)
        if graded:
            TensorDense.call = lambda self, x: known if x.shape == @KIT_SHAPE@ else x
        """,
        item="C5",
        edits=("C5-identity",),
        flagged=("sys.modules", "inspect.stack"),
    ),
    Attack(
        "changes-its-order",
        "finds the order and the seed in the frames below it and changes them to an easier item and the public seed",
        "the trusted side knows what it ordered and judges by that",
        """
        import sys
        frame = sys._getframe()
        while frame:
            for name, thing in list(frame.f_locals.items()):
                if type(thing).__name__ in ("Order", "Draw"):
                    print("the seed is", thing.seed)
                    object.__setattr__(thing, "seed", 4211)
                    object.__setattr__(thing, "item", "C1")
            frame = frame.f_back
        """,
        item="C5",
        loading=True,
        edits=("C5-identity",),
        flagged=("sys._getframe",),
    ),
    Attack(
        "hidden-code",
        "hides its code in base64, builds names from pieces and reaches os through the subclasses of object",
        "what code looks like is no matter to what it may do; the instructor is shown the line",
        """
        import base64
        exec(base64.b64decode(b"aW1wb3J0IG9zOyBvcGVuKCcvZXRjL3NoYWRvdycp"))
        """,
        item="C5",
        verdict="FAIL",
        deserves={"C7": 7},
        flagged=("exec(base64.b64decode",),
    ),
    Attack(
        "own-class-as-type",
        "returns objects that claim the class, the shape and the values of whatever is asked of them",
        "evidence is what NumPy and TensorFlow make of them: arrays of numbers or an error",
        """
        class Chameleon:
            @property
            def __class__(self):
                return tf.Tensor
            def __array__(self, *args, **kwargs):
                return np.array([object()])
            def __getattr__(self, name):
                return self
            def __eq__(self, other):
                return True
            def __iter__(self):
                return iter([self] * 4)
        TensorDense.call = lambda self, x: Chameleon()
        """,
        item="C5",
        edits=("C5-identity",),
        flagged=("def __class__",),
    ),
)
