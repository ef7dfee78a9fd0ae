"""The command line. Everything heavy is imported inside the command that needs it, so that the rest answers at once."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graders import cli_data
from graders.errors import Fault, UsageError

if TYPE_CHECKING:
    from graders.model import ClassReport

TRUSTED, AUDIT_FAILED, NOT_RIGHT, WRONG_CALL, OUR_FAULT, STOPPED = 0, 1, 1, 2, 3, 130

app = typer.Typer(
    name="graders",
    help="Grade deep-learning assignments: marks, feedback and a class report from a folder of notebooks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(cli_data.data, name="data")

_Slug = Annotated[str, typer.Argument(help="The assignment, for instance pixelcnn.")]
_Jobs = Annotated[
    int, typer.Option("--jobs", "-j", min=1, max=256, help="How many submissions are graded at the same time.")
]
_Isolation = Annotated[str | None, typer.Option(help="Level of confinement; the strongest that works by default.")]
_CORES = os.cpu_count() or 1
_Seed = Annotated[int | None, typer.Option(help="Seed of the inputs; drawn once per class by default.")]


@app.command()
def grade(
    assignment: _Slug,
    paths: Annotated[list[Path], typer.Argument(help="A class folder, a submission's folder, a .zip, .ipynb or .py.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where marks and reports go.")],
    jobs: _Jobs = _CORES,
    only: Annotated[str, typer.Option(help="Judge these items only, for instance C3,C4.")] = "",
    isolation: _Isolation = None,
    seed: _Seed = None,
    data: Annotated[Path | None, typer.Option(help="A folder of the course's images; C2 is tried on some.")] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda: then students' code reaches this machine's GPU.")] = "cpu",
    times: Annotated[Path | None, typer.Option(help="CSV of student,time: when each handed in.")] = None,
    due: Annotated[str, typer.Option(help="The deadline, as 2026-04-03T23:59:00+08:00; the rubric's by default.")] = "",
    tier: Annotated[
        str, typer.Option(help="behaviour, record, execute, metric: one or several, with commas between.")
    ] = "behaviour",
    full: Annotated[
        bool, typer.Option("--full", help="Execute tier: no rehearsal, but the real size, on --data.")
    ] = False,
    time_limit: Annotated[int, typer.Option(min=1, help="Seconds of computing that an item may take.")] = 30,
    run_limit: Annotated[
        float | None,
        typer.Option(min=1, help="Execute tier: seconds that a whole notebook may take; a cell, half of it."),
    ] = None,
    budget: Annotated[str, typer.Option(help="Metric tier: how long a training may take, as 90s, 30m or 2h.")] = "30m",
) -> None:
    """Grade submissions: marks, a report for every student and one for the class."""
    from graders.home import rubric_path
    from graders.sandbox.limits import Limits
    from graders.sandbox.nursery import nursery_of

    rubric_path(assignment)  # a wrong name is said before anything starts
    limits = Limits(cpu_seconds=time_limit, wall_seconds=3.0 * time_limit)
    with _stoppable(), nursery_of(assignment, limits, device) as nursery:
        if not (out / "evidence.sqlite").exists():
            nursery.start()  # nothing is known yet: it takes its second while we import and read
            if len(paths) > 1 or paths[0].is_dir() or paths[0].suffix == ".zip":  # a class, which is plotted
                _import_soon("graders.reports.plots")
        from graders import cli_grade
        from graders.engine.plan import Plan, with_due
        from graders.engine.studio import budget_seconds
        from graders.late import checked_due
        from graders.model import Tier
        from graders.rubric import load_rubric, select, tiers_of
        from graders.sandbox.levels import choose_level

        due = checked_due(due) if due else ""
        rubric = with_due(load_rubric(assignment), due)
        tiers = tiers_of(tier)
        plan = Plan(
            rubric,
            select(rubric, _words(only), tiers),
            jobs=jobs,
            isolation=choose_level(isolation),
            seed=seed,
            limits=limits,
            pictures=() if data is None or Tier.METRIC in tiers else cli_grade.pictures(data),
            device=device,
            due=due,
            full=full,
            data=data,
            run_limit=run_limit,
            rehearse=Tier.EXECUTE in tiers,
            budget=budget_seconds(budget),
        )
        report, others = cli_grade.grade(plan, cli_grade.handed_in(paths, rubric, times), out, nursery)
    _finish(report, out, others)


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _import_soon(module: str) -> None:
    """Import a module beside what follows; what goes wrong is said when it is needed."""
    threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let Ctrl-C and a polite kill end the run with its children, and say that nothing is lost."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print("graders: stopped; what is graded is kept: run the same command again to go on", file=sys.stderr)
        raise typer.Exit(STOPPED) from None


@app.command()
def regrade(
    out: Annotated[Path, typer.Argument(help="The folder that `graders grade -o` wrote.")],
) -> None:
    """Judge again what was measured, with the rubric as it is now; no student code runs."""
    from graders.engine.publish import Publisher
    from graders.engine.regrade import last_run, regrade_class
    from graders.rubric import load_rubric
    from graders.store import Store

    path = out / "evidence.sqlite"
    if not path.is_file():
        raise UsageError(f"{out}: no evidence.sqlite in it; give the folder that `graders grade -o` wrote")
    store = Store(path)
    try:
        run = last_run(store)
        publisher = Publisher(out, run["submissions"])
        rubric = load_rubric(run["assignment"])
        report = regrade_class(rubric, run, store, lambda one: publisher.student(store, one))
        publisher.whole_class(store, report)
    finally:
        store.close()
    _finish(report, out, publisher.others())


def _finish(report: ClassReport, out: Path, others: Sequence[str]) -> None:
    from rich.console import Console

    from graders.reports.terminal import class_table

    console = Console()
    console.print(class_table(report, console.width))
    console.print(
        f"{len(report.reports)} submissions in {report.seconds:.0f} s; see {out / 'report.html'}",
        style="bold",
        markup=False,
    )
    if others:
        some = f"{', '.join(others[:3])}{', ...' if len(others) > 3 else ''}"
        console.print(f"{len(others)} folders in {out / 'students'} are not of this run: {some}", markup=False)
    if report.faults:
        console.print(f"{report.faults} items could not be judged by our own fault (FAULT): do not use these marks yet")
        raise typer.Exit(OUR_FAULT)


@app.command()
def audit(
    assignment: _Slug,
    json_file: Annotated[Path | None, typer.Option("--json", help="Where to write the result as JSON.")] = None,
    jobs: _Jobs = _CORES,
    item: Annotated[str, typer.Option(help="Mutants and variants of these items only, for instance C3,C4.")] = "",
    tier: Annotated[str, typer.Option(help="behaviour, execute, or both with a comma.")] = "behaviour,execute",
    isolation: _Isolation = None,
    seed: _Seed = None,
) -> None:
    """Try the graders: every wrong solution must lose its marks, every right one keep them. Exit 1 when one slips."""
    from rich.console import Console

    from graders.audit import audit_assignment, print_audit
    from graders.rubric import load_rubric, select, tiers_of
    from graders.sandbox.levels import choose_level

    rubric = load_rubric(assignment)
    items = _words(item)
    tiers = tiers_of(tier)
    wanted = {one.id for one in select(rubric, items, tiers_of("behaviour,execute") if items else tiers)}
    result = audit_assignment(rubric, wanted, jobs, choose_level(isolation), seed)
    if json_file:
        from graders.reports.documents import write_json

        write_json(result.document(), json_file)
    print_audit(result, Console())
    if result.faults:
        raise typer.Exit(OUR_FAULT)
    if result.slips:
        raise typer.Exit(AUDIT_FAILED)


@app.command()
def show(
    out: Annotated[Path, typer.Argument(help="The folder that `graders grade -o` wrote.")],
    submission: Annotated[str, typer.Argument(help="The id of a submission.")],
) -> None:
    """Show one student's report in the terminal."""
    from rich.console import Console

    from graders.reports.terminal import print_report

    print_report(_result(out, submission), Console())


def _result(out: Path, submission: str) -> dict[str, Any]:
    from graders.errors import did_you_mean
    from graders.reports.files import folder_name

    students = out / "students"
    if not students.is_dir():
        raise UsageError(f"{out}: no folder students/ in it; give the folder that `graders grade -o` wrote")
    path = students / folder_name(submission) / "result.json"
    if not path.is_file():
        raise UsageError(f"{out}: no submission '{submission}'{did_you_mean(submission, os.listdir(students))}")
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: not JSON ({error}); grade again to write it anew") from error
    return document


@app.command()
def items(
    assignments: Annotated[list[str] | None, typer.Argument(help="Assignments; all by default.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="One table in Markdown.")] = False,
) -> None:
    """Show the items of assignments with their points and what each is graded by."""
    from rich.console import Console

    from graders.home import slugs
    from graders.reports import items as listed
    from graders.rubric import load_rubric

    rubrics = [load_rubric(slug) for slug in assignments or slugs()]
    if markdown:
        typer.echo(listed.markdown(rubrics), nl=False)
        return
    for rubric in rubrics:
        Console().print(listed.items_table(rubric))


@app.command()
def check(
    script: Annotated[Path, typer.Argument(help="The script or notebook with your code; others may stand beside it.")],
    item: Annotated[str, typer.Option(help="Check these items only, for instance Q2a,Q2b.")] = "",
    assignment: Annotated[str | None, typer.Option(help="Where there are kits of several.")] = None,
) -> None:
    """Check your own code: what is right and what is not. Exit 1 when something is not right yet."""
    from graders.model import Verdict
    from graders.selfcheck import check_script

    verdicts = {result.verdict for result in check_script(script, _words(item), assignment)}
    if Verdict.FAULT in verdicts:
        raise typer.Exit(OUR_FAULT)
    if verdicts != {Verdict.PASS}:
        raise typer.Exit(NOT_RIGHT)


@app.command()
def doctor() -> None:
    """Show which frameworks, versions and levels of confinement this machine has."""
    from rich.console import Console

    from graders.doctor import examine

    if not examine(Console()):
        raise typer.Exit(OUR_FAULT)


@app.command()
def release(
    assignment: _Slug,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where to write; student_template/ by default.")
    ] = None,
) -> None:
    """Generate what students receive: the template notebook and the self-check kit, both from the reference."""
    from graders.release import write_release
    from graders.rubric import load_rubric

    for path in write_release(load_rubric(assignment), out):
        typer.echo(path)


app.command()(cli_data.weights)


def main() -> None:
    """Run the command line; what goes wrong ends in one line and the exit status that says whose business it is."""
    status = _run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # all files are closed; to tear down what was imported would take another twentieth of a second


def _run() -> int:
    try:
        app()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except UsageError as error:
        print(f"graders: {_one_line(error)}", file=sys.stderr)
        return WRONG_CALL
    except Fault as fault:
        print(f"graders: our fault: {_one_line(fault)}", file=sys.stderr)
        return OUR_FAULT
    return TRUSTED


def _one_line(error: Exception) -> str:
    """Return what an error says, whatever the names of files in it hold."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in str(error))


if __name__ == "__main__":
    main()
