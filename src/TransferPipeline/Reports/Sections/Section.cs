namespace TransferPipeline.Reports.Sections;

/// <param name="Short">Its name in the list of sections.</param>
internal sealed record Section(string Id, string Short, string Title, Html Body);
