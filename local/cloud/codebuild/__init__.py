"""CodeBuild's builds: the zip is read and the buildspec followed with the project's role, an image lands in ECR.

No container runs, and no line of a buildspec is given to this machine's shell: ``shell`` follows the commands that
decide a container build (``docker login``, ``build``, ``tag``, ``push``, tests of variables) and says of the others
that they were not run. The image that is pushed is a record whose digest is that of the zip.
"""
