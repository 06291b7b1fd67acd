"""CodePipeline, as far as pipelines that fetch a commit and put its archive into a bucket."""
