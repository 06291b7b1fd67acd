"""SageMaker's jobs that really run: executions of pipelines, training, tuning, batch transform, processing, Autopilot.

``api`` answers the calls, ``executions`` runs the steps of a pipeline in order, ``lifecycle`` takes a job from its
request to its end, and a module for each kind does the work: ``transform`` asks the model's own container, ``training``
fits scikit-learn models in a process of their own (``learner``), ``baselines`` and ``clarify`` compute what AWS's
processing images compute. Everything is read and written with the permissions of the job's role. What the embedded
cloud cannot run is said in the artefact, never made up.
"""
