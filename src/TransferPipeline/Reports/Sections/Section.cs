namespace TransferPipeline.Reports;

/// <param name="Short">Its name in the list of sections.</param>
internal sealed record Section(string Id, string Short, string Title, Html Body);
