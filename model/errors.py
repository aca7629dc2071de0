"""What can go wrong with data, training, bundles and the champion."""

from schemas.errors import AisleError


class DataInvalid(AisleError):
    """A data set that cannot be read, or cannot be learned from."""

    code = "data-invalid"
    exit_status = 2


class ColumnMissing(DataInvalid):
    """A data set without a column that is needed, or that was asked for by name."""

    code = "column-missing"


class CategoryUnknown(DataInvalid):
    """A row whose category is not in the taxonomy that was given."""

    code = "category-unknown"


class CodeUnknown(AisleError):
    """A verdict that names a category outside the taxonomy."""

    code = "code-unknown"


class ParametersInvalid(AisleError):
    """Parameters of a training that are unknown, of the wrong type, or out of range."""

    code = "parameters-invalid"
    exit_status = 2


class BundleInvalid(AisleError):
    """A path that is no bundle, or a bundle that is not what it was when it was written."""

    code = "bundle-invalid"


class GoldenMismatch(BundleInvalid):
    """A bundle that does not answer its golden inputs as it did when it was trained."""

    code = "golden-mismatch"


class NoChampion(AisleError):
    """No model is in service, and none was named."""

    code = "no-champion"


class PromotionRefused(AisleError):
    """A promotion that would follow on another decision than the one it was made on."""

    code = "promotion-refused"


class BundleUnavailable(AisleError):
    """A bundle whose place gave no answer, or that is not where the decision says."""

    code = "bundle-unavailable"
    retryable = True


class RegistryUnavailable(AisleError):
    """MLflow gave no answer, or refused; what is in service does not depend on it."""

    code = "registry-unavailable"
    retryable = True


class ProbabilityInvalid(AisleError):
    """A network that answers with what is not a number."""

    code = "probability-invalid"


class PhotoInvalid(AisleError):
    """A photo that is not decoded; the message says why, fit for a prediction's notes."""

    code = "photo-invalid"


class PhotoTooLarge(PhotoInvalid):
    """A photo of too many bytes, pixels or scans."""

    code = "photo-too-large"


class PhotoFormat(PhotoInvalid):
    """A file that is no JPEG, PNG or WebP, whatever its name says."""

    code = "photo-format"


class PhotoBroken(PhotoInvalid):
    """A photo of which nothing can be read."""

    code = "photo-broken"


class WeightsInvalid(AisleError):
    """A file of pretrained weights that does not fit the network it is given for."""

    code = "weights-invalid"
    exit_status = 2


class EncoderInvalid(AisleError):
    """A Hugging Face directory with a file that is missing, damaged, or does not fit the others."""

    code = "encoder-invalid"
    exit_status = 2


class EncoderUnsupported(AisleError):
    """A Hugging Face directory of an architecture, or in a format, that has no loader."""

    code = "encoder-unsupported"
    exit_status = 2


class ModelUnknown(AisleError):
    """No bundle, or more than one, has a version that begins as was said."""

    code = "model-unknown"


class TrainingRuns(AisleError):
    """Another process trains on the same rows with the same parameters: they would write the same checkpoint."""

    code = "training-runs"
    retryable = True
