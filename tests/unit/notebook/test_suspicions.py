from __future__ import annotations

import pytest

from demo.make_class import EDITS, TEMPLATE, code, colab, notebook, written
from graders.model import Variant
from graders.notebook.suspicions import Suspicion, suspicions
from tests.unit.notebook.build import program, submission

ORDINARY = """
import os, sys, random, warnings, ssl, gc, glob, json, pickle, math
import numpy as np
import tensorflow as tf
import matplotlib.pyplot as plt
import pandas as pd
import torch
from PIL import Image, ImageFile
from tensorflow import keras
from tensorflow.keras import backend as K
import graders
from graders import check
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "0"
warnings.filterwarnings("ignore")
tf.get_logger().setLevel("ERROR")
tf.config.run_functions_eagerly(True)
tf.config.experimental.set_memory_growth(tf.config.list_physical_devices("GPU")[0], True)
tf.random.set_seed(1)
np.random.seed(1)
random.seed(1)
K.set_floatx("float32")
plt.rcParams["figure.figsize"] = (8, 2)
pd.options.display.max_rows = 10
np.float = float
np.bool = bool
torch.backends.cudnn.deterministic = True
ssl._create_default_https_context = ssl._create_unverified_context
ImageFile.LOAD_TRUNCATED_IMAGES = True
sys.path.append("/content/drive/MyDrive/pa2")
sys.argv = [""]
sys.setrecursionlimit(5000)
gc.collect()
device = "/device:GPU:0"
TRAIN = "/home/ann/pa2/train"
TEST = "/content/pa2/test"
OUT = "/tmp/out.png"
files = glob.glob("/kaggle/input/*.jpg")
data = pickle.load(open("/content/x.pkl", "rb"))
!pip install -q tensorflow==2.11
!nvidia-smi
%matplotlib inline
from google.colab import drive
drive.mount("/content/drive")
import subprocess
subprocess.run(["unzip", "pa2.zip"])
os.system("wget http://example.org/pa2.zip")
class Net(keras.layers.Layer):
    def __init__(self, **kwargs):
        super(Net, self).__init__(**kwargs)
        self.scale = tf.Variable(1.0)
    def __repr__(self):
        return self.__class__.__name__
    def call(self, x):
        self.last = x
        return x * self.scale
model = keras.Sequential()
model.compile(loss="mse")
model.optimizer.learning_rate = 0.1
model.fit(x, y)
graders.check("C3")
check("C3")
"""


def found(text: str) -> list[tuple[int, str]]:
    """The lines and reasons in one cell."""
    return [(one.line, one.why) for one in suspicions(program(text))]


def test_ordinary_code_is_not_suspicious() -> None:
    assert suspicions(program(*ORDINARY.split("\n"))) == ()
    assert suspicions(program(ORDINARY)) == ()


def test_the_reference_and_the_template_are_not_suspicious() -> None:
    for text in (written(notebook(code())), written(colab(code())), TEMPLATE.read_text()):
        assert suspicions(_of_notebook(text)) == ()


@pytest.mark.parametrize("name", [name for name, edit in EDITS.items() if isinstance(edit, Variant)])
def test_no_right_solution_is_suspicious(name: str) -> None:
    assert suspicions(_of_notebook(written(notebook(code(name))))) == ()


def test_the_honest_submissions_of_the_demo_class_are_not_suspicious() -> None:
    from demo.make_class import submissions

    for name, contents in submissions().items():
        made = contents()
        if name.endswith(".ipynb") and isinstance(made, str) and not name.startswith("mueller"):
            assert suspicions(_of_notebook(made)) == (), name


def _of_notebook(text: str):  # type: ignore[no-untyped-def]
    from graders.notebook import read_program

    return read_program(submission(hw_ipynb=text))


@pytest.mark.parametrize(
    "line",
    [
        "import ctypes",
        "from ctypes import CDLL",
        "import socket as s",
        "import marshal",
        "import os; os._exit(0)",
        "from os import _exit as leave; leave(0)",
        "import os; os.fork()",
        "import os as system; system.kill(1, 9)",
        "import signal; signal.signal(2, None)",
        "import gc; gc.get_objects()",
        "import sys; sys._getframe()",
        "import inspect; inspect.stack()",
        "from inspect import currentframe; currentframe()",
        "import sys; sys.modules['numpy'] = None",
        "import sys; sys.meta_path.insert(0, None)",
        "import tensorflow as tf; tf.GradientTape = None",
        "import tensorflow as tf; tf.keras.layers.Dense.call = None",
        "from tensorflow.keras.layers import Dense; Dense.call = None",
        "import numpy as np; np.allclose = None",
        "import numpy as np; setattr(np, 'allclose', None)",
        "import builtins; builtins.isinstance = None",
        "import json; json.dumps = None",
        "from graders import judge",
        "import graders.probes.wire",
        "import graders; graders.judge",
        "open('/etc/passwd')",
        "open('/proc/self/maps')",
        "f'/proc/{1}/environ'",
        "import os; os.walk('/')",
        "eval('1' + '+1')",
        "exec(text)",
        "__import__('o' + 's')",
        "import importlib; importlib.import_module('o' + 's')",
        "import atexit; atexit.register(print)",
        "import threading; threading.Thread(target=print, daemon=True)",
        "().__class__.__base__.__subclasses__()",
        "(lambda: 0).__globals__",
        "x.__class__ = int",
        "open('sitecustomize.py', 'w')",
    ],
)
def test_a_construct_without_use_in_a_solution_is_pointed_to(line: str) -> None:
    text = f"x = 1\n\n{line}\ny = 2"
    assert {number for number, why in found(text) if why} == {3}


@pytest.mark.parametrize("name", ["__eq__", "__class__", "__instancecheck__", "__getattribute__"])
def test_a_class_that_lies_about_itself_is_pointed_to(name: str) -> None:
    assert [line for line, _ in found(f"class A:\n    x = 1\n    def {name}(self, other):\n        return True")] == [3]


def test_a_shell_is_suspicious_where_a_solution_calls_it() -> None:
    assert found("import os\nos.system('ls')") == []
    assert [line for line, _ in found("import os\n@property\ndef f():\n    os.system('ls')")] == [4]


def test_place_line_construct_and_why_are_told() -> None:
    first = program("x = 1", "# comment\n\nclass A:\n    def f(self):\n        import gc\n        gc.get_objects()")
    assert suspicions(first) == (Suspicion("cell 2", 6, "gc.get_objects", "searches the memory of the process"),)


def test_modules_are_looked_at_and_told_once() -> None:
    both = program("from helpers import f\nimport pkg.helpers", pkg__helpers_py="def f():\n    import ctypes")
    assert [(one.place, one.line) for one in suspicions(both)] == [("pkg/helpers.py", 2)]
