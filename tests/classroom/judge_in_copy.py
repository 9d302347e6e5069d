"""Run in a student's copy: judge the teacher's references and wrong answers with the student's checks. Prints JSON."""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
sys.dont_write_bytecode = True
import helpers  # noqa: E402
import helpers.exercises  # noqa: E402

assert Path(helpers.__file__).parent.parent == Path.cwd(), helpers.__file__
teacher = Path(sys.argv[1]) / "helpers" / "exercises"
bank = {}
for folder in sorted(Path("helpers/exercises").glob("ch[0-9][0-9]")):
    theirs = teacher / folder.name
    spec = importlib.util.spec_from_file_location(
        "helpers.exercises." + folder.name, theirs / "__init__.py", submodule_search_locations=[str(theirs)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    bank |= {e.id: e for e in module.EXERCISES}
for name in [n for n in sys.modules if n.startswith("helpers.exercises.")]:
    del sys.modules[name]
for name in [n for n in vars(helpers.exercises) if n.startswith("ch")]:
    delattr(helpers.exercises, name)

from helpers.lab import checks  # noqa: E402

problems, answers = [], 0
for chapter in checks.chapters():
    for exercise in checks.exercises(chapter):
        theirs = bank[exercise.id]
        assert exercise.wrong == () and exercise.solution.withheld
        report = checks.evaluate(exercise.id, theirs.solution)
        if report.status != "passed":
            problems.append(f"{exercise.id}: the reference is {report.status}: {report.message}")
        for wrong in theirs.wrong:
            if wrong.answer is theirs.start:
                continue
            answers += 1
            report = checks.evaluate(exercise.id, wrong.answer)
            if report.status != "wrong" or wrong.diagnosis not in report.message:
                problems.append(f"{exercise.id} {wrong.answer.__name__}: {report.status}: {report.message}")
print(json.dumps({"problems": problems, "answers": answers}))
sys.exit(bool(problems))
