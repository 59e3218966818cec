!> Local ensemble transform Kalman filter: one small analysis per local domain.
!>
!> Hunt, Kostelich and Szunyogh (2007), Physica D 230, 112-126; observation error variances are divided by the
!> localisation weight (R-localisation). Domains are independent: a domain's result is bit for bit the same for any
!> number of threads and for any share of the domains. A domain without observations keeps its ensemble, uninflated.
module pl_letkf_local
   use pl_ensemble_block, only: join_block, split_block
   use pl_error, only: error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_localisation_weights, only: localisation_weight, taper_gaspari_cohn
   use pl_observation_search, only: metric_euclidean, observation_index_type
   use pl_symmetric_eigen, only: vector_lanes
   use pl_transform_etkf, only: transform_type
   implicit none (type, external)
   private
   public :: analyse_domains, local_option_type

   integer, parameter :: lanes_of_state = vector_lanes - 1 !! the last lane carries the innovations
   integer, parameter :: domains_per_grab = 32             !! domains that a thread takes at a time

   !> How the local analyses are made.
   type :: local_option_type
      real(rk) :: radius = huge(1.0_rk)       !! support radius [m, or the unit of the coordinates]
      real(rk) :: inflation = 1.0_rk          !! factor on the prior anomalies of the state [1]
      real(rk) :: relaxation = 0.0_rk         !! relaxation to the prior spread, 0 to 1 [1]
      integer :: metric = metric_euclidean    !! see pl_observation_search
      integer :: taper = taper_gaspari_cohn   !! see pl_localisation_weights
      integer :: nthread = 1                  !! OpenMP threads [1]
   end type local_option_type

contains

   !> Analyse all local domains.
   subroutine analyse_domains(option, anomalies, innovations, observation_places, domain_places, domain_start, &
                              domain_states, ensemble, error)
      type(local_option_type), intent(in) :: option
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs), inflated, over the error deviation [1]
      real(rk), intent(in) :: innovations(:)              !! (nobs), over the error deviation [1]
      real(rk), intent(in) :: observation_places(:, :)    !! (ndim, nobs) [m, any length, or degree]
      real(rk), intent(in) :: domain_places(:, :)         !! (ndim, ndomain) [as observation_places]
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1), first entry of a domain in domain_states
      integer, intent(in) :: domain_states(:)             !! (nstate), state elements by domain
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate), prior in, analysis out [any unit]
      type(error_type), allocatable, intent(out) :: error !! not enough memory, or an eigenproblem without solution
      type(observation_index_type) :: index
      type(error_type), allocatable :: own_error
      call index%create(observation_places, option%radius, option%metric, error)
      if (allocated(error)) return
      !$omp parallel num_threads(option%nthread) default(none) private(own_error) &
      !$omp shared(option, anomalies, innovations, index, domain_places, domain_start, domain_states, ensemble, error)
      call analyse_share(option, index, anomalies, innovations, domain_places, domain_start, domain_states, &
                         ensemble, own_error)
      if (allocated(own_error)) then
         !$omp critical (letkf_error)
         if (.not. allocated(error)) call raise_error(error, own_error%code, own_error%message)
         !$omp end critical (letkf_error)
      end if
      !$omp end parallel
   end subroutine analyse_domains

   !> The domains of one thread.
   subroutine analyse_share(option, index, anomalies, innovations, domain_places, domain_start, domain_states, &
                            ensemble, error)
      type(local_option_type), intent(in) :: option
      type(observation_index_type), intent(in) :: index
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs), scaled [1]
      real(rk), intent(in) :: innovations(:)              !! (nobs), scaled [1]
      real(rk), intent(in) :: domain_places(:, :)         !! (ndim, ndomain) [m, any length, or degree]
      integer, intent(in) :: domain_start(:)              !! (ndomain + 1)
      integer, intent(in) :: domain_states(:)             !! (nstate)
      real(rk), intent(inout) :: ensemble(:, :)           !! (nmember, nstate) [unit of the state]
      type(error_type), allocatable, intent(out) :: error !! not enough memory, or no convergence
      type(transform_type) :: transform
      type(error_type), allocatable :: domain_error
      real(rk), allocatable :: distance(:)
      integer, allocatable :: found(:)
      integer :: domain, nfound, nobs, stat
      allocate (found(size(innovations)), stat=stat)
      if (stat == 0) allocate (distance(size(innovations)), stat=stat)
      call transform%create(size(ensemble, 1), domain_error)
      if (stat /= 0 .and. .not. allocated(domain_error)) then
         call raise_error(domain_error, error_state, "not enough memory to search observations; use fewer threads")
      end if
      !$omp do schedule(dynamic, domains_per_grab)
      do domain = 1, size(domain_places, 2)
         if (allocated(domain_error)) cycle
         if (domain_start(domain + 1) == domain_start(domain)) cycle
         call index%search(domain_places(:, domain), found, distance, nfound)
         call load_observations(option, anomalies, innovations, found(:nfound), distance(:nfound), transform, nobs, &
                                domain_error)
         if (allocated(domain_error) .or. nobs == 0) cycle
         call transform%factorise(nobs, domain_error)
         if (allocated(domain_error)) cycle
         associate (first => domain_start(domain), last => domain_start(domain + 1) - 1)
            call update_states(option, domain_states(first:last), transform, ensemble)
         end associate
      end do
      !$omp end do
      if (allocated(domain_error)) call move_alloc(domain_error, error)
   end subroutine analyse_share

   !> Copy the observations of a domain, weighted, into its transform.
   subroutine load_observations(option, anomalies, innovations, found, distance, transform, nobs, error)
      type(local_option_type), intent(in) :: option
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs), scaled [1]
      real(rk), intent(in) :: innovations(:)              !! (nobs), scaled [1]
      integer, intent(in) :: found(:)                     !! indices of the observations within the radius
      real(rk), intent(in) :: distance(:)                 !! their distances [m or as the radius]
      type(transform_type), intent(inout) :: transform
      integer, intent(out) :: nobs                        !! observations with a weight above zero
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk) :: root
      integer :: i
      nobs = 0
      call transform%reserve(size(found), error)
      if (allocated(error)) return
      do i = 1, size(found)
         root = sqrt(localisation_weight(distance(i), option%radius, option%taper))
         if (root <= 0.0_rk) cycle
         nobs = nobs + 1
         transform%anomalies(:, nobs) = root*anomalies(:, found(i))
         transform%innovations(nobs) = root*innovations(found(i))
      end do
   end subroutine load_observations

   !> Update the state elements of one domain.
   subroutine update_states(option, states, transform, ensemble)
      type(local_option_type), intent(in) :: option
      integer, intent(in) :: states(:)              !! state elements of the domain
      type(transform_type), intent(inout) :: transform
      real(rk), intent(inout) :: ensemble(:, :)     !! (nmember, nstate) [unit of the state]
      real(rk) :: block(vector_lanes, size(ensemble, 1)), mean(vector_lanes), square(vector_lanes)
      integer :: first, lane, nmember, nused
      nmember = size(ensemble, 1)
      do first = 1, size(states), lanes_of_state
         nused = min(lanes_of_state, size(states) - first + 1)
         do lane = 1, vector_lanes ! lanes beyond the last element repeat it and are not stored
            block(lane, :) = ensemble(:, states(min(first + lane - 1, size(states))))
         end do
         call split_block(nmember, option%inflation, block, mean, square)
         call transform%apply(nused, block)
         call join_block(nmember, option%relaxation, mean, square, block)
         do lane = 1, nused
            ensemble(:, states(first + lane - 1)) = block(lane, :)
         end do
      end do
   end subroutine update_states

end module pl_letkf_local
