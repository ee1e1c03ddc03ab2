using TransferPipeline.Images;

namespace TransferPipeline.Extraction;

/// <summary>Takes photos from file to the bytes that a card takes, for trials: nothing is kept, and photos that fail are for the run to report. One a thread.</summary>
internal sealed class TrialReader
{
    private readonly PhotoReader _reader;
    private readonly Preprocessor _preprocessor;
    private readonly IViewRenderer? _renderer;
    private readonly int _views;
    private readonly byte[] _pixels;

    public TrialReader(ExtractionJob job)
    {
        (_reader, _preprocessor) = (new(job, new()), new(job.Preprocessing));
        _renderer = job.Views is { Count: > 0 } views ? views.CreateRenderer() : null;
        _views = _renderer is null ? 0 : job.Views!.Count;
        _pixels = new byte[3 * _preprocessor.OutputWidth * _preprocessor.OutputHeight];
    }

    /// <summary>Reads, hashes, decodes and resizes a photo, and renders its views.</summary>
    /// <returns>The number of pictures that this makes.</returns>
    public int Read(int entry)
    {
        long time = 0;
        try
        {
            var row = _reader.Read(entry, _renderer is null ? _preprocessor : null, ref time);
            _preprocessor.RunBytes(_reader.Photo, _pixels);
            for (var view = 1; view <= _views; view++)
                _renderer!.RenderBytes(_reader.Photo, row.ImageSha256, view, _pixels);
        }
        catch (Exception e) when (PhotoReader.IsOfPhoto(e))
        {
            // The run itself reports it.
        }

        return 1 + _views;
    }
}
