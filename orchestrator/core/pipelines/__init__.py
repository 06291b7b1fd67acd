"""CodePipeline as the engine that deploys: ``deploy_engine`` of the settings is ``codepipeline``.

``template`` says what a workload's pipeline is, ``progress`` what is read from an execution of it, ``ports`` what we
call of CodePipeline, and ``stacks`` makes all of that look like change sets to the steps, which know of no engine.
"""
