"""What deploys Incident Bot: the CDK app, the layer, and the laptop target; production code never imports it."""
