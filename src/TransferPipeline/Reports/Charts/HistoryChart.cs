using TransferPipeline.Heads.Common;

namespace TransferPipeline.Reports;

/// <summary>Loss or accuracy over the epochs, on the training and the validation rows.</summary>
internal static class HistoryChart
{
    public static Html Loss(IReadOnlyList<EpochRecord> history) => Render(history, "loss", e => e.TrainLoss, e => e.ValidationLoss);

    public static Html Accuracy(IReadOnlyList<EpochRecord> history) =>
        Render(history, "accuracy", e => e.TrainAccuracy, e => e.ValidationAccuracy);

    private static Html Render(
        IReadOnlyList<EpochRecord> history,
        string what,
        Func<EpochRecord, double> train,
        Func<EpochRecord, double> validation
    )
    {
        var chart = new Chart(420, 250, $"Learning history: {what}", $"{history.Count} epochs. The figures are in the table below.");
        var x = Axis.Linear(history.Select(e => (double)e.Epoch), chart.Left, chart.Right, margin: 0.02);
        var y = Axis.Linear(history.Select(train).Concat(history.Select(validation)), chart.Bottom, Chart.Top, floor: 0);
        chart.Axes(x, y, "epoch", what, Figures.Value, Figures.Value);
        chart.Line("line c0", history.Select(e => (x.At(e.Epoch), y.At(train(e)))));
        if (history.Any(e => double.IsFinite(validation(e))))
            chart.Line("line c1 dash-long", history.Select(e => (x.At(e.Epoch), y.At(validation(e)))));
        return chart.Render();
    }
}
