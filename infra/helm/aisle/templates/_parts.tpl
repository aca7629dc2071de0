{{- define "aisle.name" -}}
{{- $long := ternary .Release.Name (printf "%s-aisle" .Release.Name) (contains "aisle" .Release.Name) }}
{{- $long | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "aisle.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "aisle.account" -}}
{{ .Values.serviceAccount.name | default (include "aisle.name" .) }}
{{- end }}

{{- define "aisle.selector" -}}
app.kubernetes.io/name: aisle
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "aisle.labels" -}}
{{ include "aisle.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The top of an object: (list $ KIND-OF-PROCESS). */}}
{{- define "aisle.metadata" -}}
{{- $root := index . 0 }}{{ $part := index . 1 -}}
metadata:
  name: {{ include "aisle.name" $root }}{{ with $part }}-{{ . }}{{ end }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "aisle.labels" $root | nindent 4 }}
    {{- with $part }}
    app.kubernetes.io/component: {{ . }}
    {{- end }}
{{- end }}

{{/* Which pods are meant: (list $ KIND-OF-PROCESS). */}}
{{- define "aisle.pods" -}}
{{ include "aisle.selector" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "aisle.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "aisle.probes" -}}
startupProbe: # until the event loop runs; what a worker waits for, such as a model, is said by readiness
  httpGet: {path: /health/live, port: health}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 90
livenessProbe: # what only a restart helps
  httpGet: {path: /health/live, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /health/ready, port: health}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}

{{/*
A pod: (dict "root" $ "part" NAME "args" LIST "resources" MAP "mounts" YAML), and of choice "grace" SECONDS, "secrets" KEYS,
"env" YAML, "ports" YAML, "preStop" SECONDS, "job" true.
*/}}
{{- define "aisle.pod" -}}
{{- $root := .root -}}
metadata:
  labels: # no versions, which would restart what did not change
    {{- include "aisle.pods" (list $root .part) | nindent 4 }}
  annotations:
    checksum/settings: {{ include "aisle.settings" $root | sha256sum }}
spec:
  serviceAccountName: {{ include "aisle.account" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets: {{ toJson . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .grace | default 30 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- if .job }}
  restartPolicy: OnFailure
  {{- else }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "aisle.pods" (list $root $.part) | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with $root.Values.pod }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  containers:
    - name: {{ .part }}
      image: {{ include "aisle.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson .args }}
      envFrom:
        - configMapRef: {name: {{ include "aisle.name" $root }}}
        {{- with $root.Values.credentials }}
        - secretRef: {name: {{ . }}}
        {{- end }}
      env: # threads: else as many as the node has processors
        {{- range list "TF_NUM_INTRAOP_THREADS" "OMP_NUM_THREADS" }}
        - name: {{ . }}
          valueFrom: {resourceFieldRef: {resource: limits.cpu}}
        {{- end }}
        {{- with .env }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- range .secrets }}
        - name: {{ . }}
          valueFrom: {secretKeyRef: {name: {{ $root.Values.secret.name }}, key: {{ . }}{{ if hasPrefix "AISLE_ALERT" . }}, optional: true{{ end }}}}
        {{- end }}
      securityContext:
        {{- include "aisle.restricted" $root | nindent 8 }}
      resources: {{ toJson .resources }}
      {{- if not .job }}
      ports:
        - {name: health, containerPort: 8080}
        {{- with .ports }}
        {{- . | nindent 8 }}
        {{- end }}
      {{- include "aisle.probes" $root | nindent 6 }}
      {{- end }}
      {{- with .preStop }}
      lifecycle: {preStop: {exec: {command: [sleep, {{ . | quote }}]}}}
      {{- end }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- .mounts | nindent 8 }}
        {{- if $root.Values.secretFiles }}
        - {name: secrets, mountPath: /run/aisle, readOnly: true}
        {{- end }}
        {{- with $root.Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 1Gi}
    {{- if contains "name: own" .mounts }}
    - name: own
      emptyDir: {sizeLimit: 1Gi}
    {{- end }}
    {{- if contains "name: data" .mounts }}
    - name: data
      persistentVolumeClaim: {claimName: {{ $root.Values.data.existingClaim | default (include "aisle.name" $root) }}}
    {{- end }}
    {{- with $root.Values.secretFiles }}
    - name: secrets
      secret: {secretName: {{ . }}, defaultMode: 288} # 0440: the pod's group may read them
    {{- end }}
    {{- with $root.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
