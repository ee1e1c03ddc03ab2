namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// Where to start the next fit of a path: the weights move smoothly with the logarithm of C, so the parabola through the last three
/// solutions (the line through two) extrapolates to the next one, which halves the passes of a path of twenty.
/// </summary>
internal sealed unsafe class PathStart
{
    /// <summary>A step longer than this many times the one before is not extrapolated.</summary>
    private const double MostStep = 1.5;

    private const int MostPoints = 3;

    private readonly List<(double LogC, float[] Solution)> _solved = [];

    public void Add(double c, FloatBuffer solution)
    {
        var at = Math.Log(c);
        // Two nodes at one place would divide by zero below.
        if (_solved.Count > 0 && _solved[^1].LogC == at)
            _solved.RemoveAt(_solved.Count - 1);
        if (_solved.Count == MostPoints)
            _solved.RemoveAt(0);
        _solved.Add((at, new Span<float>(solution.Pointer, checked((int)solution.Length)).ToArray()));
    }

    /// <summary>Overwrites the last solution by the extrapolation to <paramref name="c"/>.</summary>
    public void Extrapolate(double c, FloatBuffer parameters)
    {
        var at = Math.Log(c);
        if (_solved.Count < 2 || !Near(_solved[^2].LogC, _solved[^1].LogC, at))
            return;
        var nodes = _solved.Count == MostPoints && Near(_solved[0].LogC, _solved[1].LogC, _solved[2].LogC) ? _solved : _solved[^2..];
        new Span<float>(parameters.Pointer, (int)parameters.Length).Clear();
        foreach (var (node, solution) in nodes)
        {
            // The node's Lagrange polynomial, at the new logarithm of C.
            var factor = nodes
                .Where(other => other.LogC != node)
                .Aggregate(1.0, (product, other) => product * (at - other.LogC) / (node - other.LogC));
            fixed (float* from = solution)
                FloatVectors.AddScaled(parameters.Pointer, factor, from, solution.Length);
        }
    }

    // The polynomial's error grows with a power of the distance: far beyond the nodes the last solution itself is the better start.
    private static bool Near(double first, double second, double third) => third - second <= MostStep * (second - first);
}
