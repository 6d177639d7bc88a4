"""Solvers of binary programs: HiGHS of SciPy, or any solver of pulp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import numpy as np

from ocm_geo.errors import MissingDependency, QueryError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["Answer", "Limits", "Program", "SolverOptions", "solve"]

_PROVEN = 0
_TIME_IS_UP = 1


class Program(NamedTuple):
    """
    A program: minimise ``cost @ x`` where ``lower <= rows @ x <= upper`` and ``0 <= x <= 1``.

    Parameters
    ----------
    cost : numpy.ndarray, shape (n,)
        Cost of each variable.
    rows : scipy.sparse.csr_array, shape (m, n)
        Left sides of the constraints.
    lower, upper : numpy.ndarray, shape (m,)
        Their bounds.
    n_whole : int
        Number of variables, from the first, that are 0 or 1.
    """

    cost: NDArray[np.float64]
    rows: csr_array
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    n_whole: int


class Limits(NamedTuple):
    """
    The solver, and when it stops.

    Parameters
    ----------
    solver : str or pulp.LpSolver
        ``highs``, or a solver of pulp with its own limits.
    time_limit_s : float
        Seconds.
    gap : float
        Relative gap.
    """

    solver: Any
    time_limit_s: float
    gap: float


class SolverOptions(TypedDict, total=False):
    """
    Optional parameters of `suggest_sites`.

    Parameters
    ----------
    time_limit_s : float
        Seconds (60) after which HiGHS returns the best solution so far, with its gap. A solver
        of pulp has its own limits.
    gap : float
        Relative gap at which HiGHS stops (0: proven optimum).
    costs : pandas.DataFrame
        Costs in place of distances, such as the minutes of a routing engine: columns
        ``origin`` (index of the demand), ``candidate`` (index of the candidates) and the cost.
        Missing pairs cannot be travelled.
    station_costs : pandas.DataFrame
        The same for existing stations: ``origin``, ``ocm_id`` and the cost, by the same name.
        Required with `costs` if there are stations.
    """

    time_limit_s: float
    gap: float
    costs: pd.DataFrame
    station_costs: pd.DataFrame


class Answer(NamedTuple):
    """
    The result of a solver.

    Parameters
    ----------
    x : numpy.ndarray or None
        The best solution found; None if none was found in time.
    bound : float
        No solution costs less.
    proven : bool
        Whether the solver has proven that this is the optimum.
    """

    x: NDArray[np.float64] | None
    bound: float
    proven: bool


def solve(program: Program, limits: Limits) -> Answer:
    """
    Solve a program.

    Parameters
    ----------
    program : Program
        The program.
    limits : Limits
        The solver, and when it stops.

    Returns
    -------
    Answer
        The best solution found, and a bound.

    Raises
    ------
    QueryError
        If the solver is unknown or cannot be run.
    MissingDependency
        If pulp is not installed.
    """
    if limits.solver == "highs":
        return _solve_by_highs(program, limits)
    return _solve_by_pulp(program, limits.solver)


def _solve_by_highs(program: Program, limits: Limits, *, relaxed: bool = False) -> Answer:
    """Return the answer of HiGHS; relaxed, of the program without integers."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - loaded when needed

    whole = np.zeros(len(program.cost), dtype=np.int8)
    whole[: 0 if relaxed else program.n_whole] = 1
    found = milp(
        program.cost,
        integrality=whole,
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(program.rows, program.lower, program.upper),
        options={"time_limit": limits.time_limit_s, "mip_rel_gap": limits.gap},
    )
    if found.status not in {_PROVEN, _TIME_IS_UP}:
        raise QueryError(f"HiGHS could not solve the program: {found.message}")
    bound = found.fun if relaxed else found.mip_dual_bound
    return Answer(found.x, -np.inf if bound is None else float(bound), found.status == _PROVEN)


def _solve_by_pulp(program: Program, solver: Any) -> Answer:  # noqa: ANN401 - a solver of pulp
    """Return the answer of a solver of pulp, with the bound of the relaxed program."""
    try:
        import pulp  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingDependency("pulp", "siting") from error
    if not isinstance(solver, pulp.LpSolver):
        raise QueryError(f"solver={solver!r}: choose 'highs', 'greedy' or a solver of pulp")
    problem, variables = _translate_to_pulp(program, pulp)
    try:
        problem.solve(solver)
    except pulp.PulpSolverError as error:
        raise QueryError(f"the solver {solver.name} cannot be run: {error}") from error
    # pulp does not report a bound; the relaxed program, without integers, has one.
    bound = _solve_by_highs(program, Limits("highs", np.inf, 0.0), relaxed=True).bound
    if problem.sol_status not in {pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible}:
        return Answer(None, bound, proven=False)
    x = np.array([variable.value() or 0.0 for variable in variables])
    proven = problem.sol_status == pulp.LpSolutionOptimal
    return Answer(x, bound, proven)


def _translate_to_pulp(program: Program, pulp: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 - a module
    """Return a program as a problem of pulp, and its variables."""
    kinds = np.where(np.arange(len(program.cost)) < program.n_whole, "Integer", "Continuous")
    problem = pulp.LpProblem("siting", pulp.LpMinimize)
    variables = [problem.add_variable(f"x{i}", 0, 1, cat=str(k)) for i, k in enumerate(kinds)]
    problem += pulp.LpAffineExpression(zip(variables, program.cost.tolist(), strict=True))
    ends = program.rows.indptr
    for i, (low, high) in enumerate(zip(program.lower, program.upper, strict=True)):
        part = slice(ends[i], ends[i + 1])
        row = pulp.LpAffineExpression(
            (variables[column], float(value))
            for column, value in zip(
                program.rows.indices[part], program.rows.data[part], strict=True
            )
        )
        if low == high:
            problem += row == float(high)
        elif np.isfinite(high):
            problem += row <= float(high)
        else:
            problem += row >= float(low)
    return problem, variables
