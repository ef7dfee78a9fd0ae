from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from graders.model import Evidence
from graders.reports.documents import report_document
from graders.reports.page import student_page
from graders.reports.results import chart, shown
from graders.reports.write import write_student
from tests.unit.record.build import TEN, code, error, figure, honest, picture, png, record, stream
from tests.unit.reports.sample import report
from tests.unit.reports.test_page import ATTACK, Seen


def lines_of(svg: str) -> list[list[tuple[float, float]]]:
    found = ElementTree.fromstring(svg).iter("polyline")
    return [[tuple(map(float, point.split(","))) for point in one.get("points", "").split()] for one in found]  # type: ignore[misc]


def test_a_chart_has_a_line_for_each_curve_within_its_frame() -> None:
    first, second = lines_of(chart({"loss": [0.3, 0.2, 0.1], "val_loss": [0.25, 0.2, 0.2]}, [1, 2, 3]))
    assert [y for _, y in first] == sorted(y for _, y in first)  # it falls: y grows downwards
    assert all(0 < x < 360 and 0 < y < 150 for x, y in first + second)
    assert first[1][1] == second[1][1]


def test_a_chart_copes_with_gaps_single_points_and_extremes() -> None:
    assert [len(one) for one in lines_of(chart({"loss": [0.3, 0.2, None, 0.1, 0.1]}, range(5)))] == [2, 2]
    for values in ([0.3], [0.2, 0.2], [1e308, -1e308], [None, 0.1, None]):
        svg = chart({"loss": values}, range(1, len(values) + 1))
        assert "nan" not in svg
        assert "inf" not in svg
        ElementTree.fromstring(svg)


def test_the_page_shows_curves_pictures_and_what_to_mend() -> None:
    made = record(
        *honest(),
        code("print(1 / 0)", error("ZeroDivisionError", "division by zero")),
        {**code("model.summary()"), "execution_count": None},
        code("show()", {"output_type": "display_data", "data": {"image/png": png(TEN[0])[:40]}}),
    )
    page = student_page(report("Ada", {}), made)
    text = " ".join(Seen(page).text.split())
    assert "What your notebook shows" in text
    assert (
        "hw.ipynb, cell 4: 10 epochs; at last loss 0.1941, validation loss 0.1958; 1313 batches; 95 s an epoch" in text
    )
    assert "hw.ipynb, cell 7: evaluate gave a loss of 0.1949" in text
    assert "hw.ipynb, cell 8: ended in ZeroDivisionError: division by zero" in text
    assert "hw.ipynb, cell 9: its result is not saved" in text
    assert "hw.ipynb, cell 10: a picture was left out: damaged, or no picture" in text
    assert page.count("<polyline") == 2
    assert len([name for name, _ in Seen(page).attributes if name == "src"]) == 2


def test_cells_that_were_not_run_are_listed() -> None:
    made = record({**code("model.fit(x)"), "execution_count": 0}, code("x = 1"))
    assert "hw.ipynb, cell 1: was not run" in student_page(report("Ada", {}), made)
    cleared = record({**code("model.fit(x)"), "execution_count": 0})
    assert "hw.ipynb: was saved without any results" in student_page(report("Ada", {}), cleared)


def test_pictures_are_encoded_anew() -> None:
    data = bytearray(base64.b64decode(png(figure(TEN))))
    data += b"<script>alert(1)</script>"
    output = {"output_type": "display_data", "data": {"image/png": base64.b64encode(bytes(data)).decode()}}
    page = student_page(report("Ada", {}), record(code("show()", output)))
    (uri,) = [value or "" for name, value in Seen(page).attributes if name == "src"]
    sent = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert b"script" not in sent
    with Image.open(io.BytesIO(sent)) as image:
        assert (image.format, max(image.size)) == ("PNG", 256)
        assert np.asarray(image).std() > 0
    policy = next(v for n, v in Seen(page).attributes if n == "content" and "default-src" in (v or ""))
    assert "img-src data:;" in (policy or "")


def test_hostile_words_in_a_record_add_no_tag() -> None:
    def made(text: str) -> str:
        evidence = record(*honest(), code("1 / 0", error(text, text)), code("f()", stream(f"test loss {text} 0.2\n")))
        named = {
            name: replace(one, values=json.loads(json.dumps(one.values).replace("hw.ipynb", json.dumps(text)[1:-1])))
            for name, one in evidence.experiments.items()
        }
        return student_page(report("Ada", {}), replace(evidence, experiments=named))

    assert Seen(made(ATTACK)).tags == Seen(made("harmless")).tags


def test_pictures_and_lines_are_bounded() -> None:
    many = [code("show()", picture(one * 255)) for one in [TEN[0] ^ np.roll(TEN[1], at) for at in range(60)]]
    broken = [code("x", error(f"Error{at}", "")) for at in range(60)]
    found = shown(record(*many, *broken))
    assert found is not None
    assert (len(found.pictures), found.more) == (40, 20)
    assert len(found.lines) == 31
    assert found.lines[-1] == "and 30 more"


def test_without_a_record_the_page_says_nothing_of_it() -> None:
    assert shown(None) is None
    for page in (student_page(report("Ada", {})), student_page(report("Ada", {}), Evidence({}))):
        assert "What your notebook shows" not in page


def test_result_json_holds_the_record_without_its_pictures(tmp_path: Path) -> None:
    write_student(report("Ada", {}), tmp_path, record(*honest()))
    saved = json.loads((tmp_path / "result.json").read_text())
    assert set(saved["record"]) == {"cells", "logs", "images", "claims", "counts", "traces", "files", "heads"}
    assert saved["record"]["logs"]["runs"][0]["curves"]["loss"][-1] == 0.1941
    assert "record" not in report_document(report("Ada", {}))
    assert re.search("<polyline", (tmp_path / "report.html").read_text())
