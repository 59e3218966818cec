!> Which observations lie within a radius of a point: a cell-binned index.
!>
!> Points are sorted into cells whose edges are at least the radius, so that a search visits the 3^ndim cells around
!> a point whatever the number of observations. Places on the sphere become points in space: a great-circle distance s
!> and the chord c of two points obey c = 2 a sin(s/(2 a)), which is monotonic: neither poles nor the date line are
!> special. On a periodic axis observations near its ends have images beyond them, of which a search takes the nearest
!> one. The order of the observations found depends on the observations alone, never on which domains are analysed.
module pl_observation_search
   use pl_constants, only: pi
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: metric_euclidean, metric_haversine, observation_index_type

   integer, parameter :: metric_euclidean = 0 !! coordinates are lengths, 1 to 3 of them
   integer, parameter :: metric_haversine = 1 !! coordinates are latitude and longitude [degree]
   real(rk), parameter :: earth_radius = 6.37122e6_rk !! mean radius of the Earth, CIME shr_const [m]
   integer, parameter :: cells_per_observation = 4    !! bound on the memory of the index
   real(rk), parameter :: edge_margin = 1.0_rk + sqrt(epsilon(1.0_rk)) !! neighbours never lie two cells apart

   !> Observations sorted by cell.
   type :: observation_index_type
      integer :: metric = metric_euclidean
      logical :: is_periodic = .false.
      real(rk) :: period(3) = 0.0_rk            !! length of a periodic axis, 0 for none [as the coordinates]
      real(rk) :: radius = 0.0_rk               !! search radius [m or the unit of the coordinates]
      real(rk) :: radius_squared = 0.0_rk       !! square of the radius, or of its chord
      real(rk) :: origin(3) = 0.0_rk            !! lower corner of the cells
      real(rk) :: inverse_edge(3) = 0.0_rk      !! 1 / cell edge; 0 where one cell spans the axis
      integer :: ncell(3) = 1                   !! cells along each axis
      real(rk), allocatable :: position(:, :)   !! (3, nimage), sorted by cell; of the observation, not of its image
      integer, allocatable :: image(:, :)       !! (3, nimage), periods between observation and image
      integer, allocatable :: source(:)         !! (nimage), index of each sorted observation
      integer, allocatable :: cell_start(:)     !! (ncell + 1), first sorted observation of a cell
   contains
      procedure :: create => index_create
      procedure :: search => index_search
      procedure :: distance => index_distance
   end type observation_index_type

contains

   !> Sort observations into cells.
   subroutine index_create(self, coordinates, radius, metric, period, error)
      class(observation_index_type), intent(inout) :: self
      real(rk), intent(in) :: coordinates(:, :)           !! (ndim, nobs) [m, any length, or degree]
      real(rk), intent(in) :: radius                      !! search radius, above 0, or infinite [m or as coordinates]
      integer, intent(in) :: metric                       !! one of the metrics above
      real(rk), intent(in) :: period(:)                   !! (ndim), length of periodic axes, 0 for none [as coordinates]
      type(error_type), allocatable, intent(out) :: error !! wrong number of coordinates, or not enough memory
      real(rk), allocatable :: position(:, :)
      integer, allocatable :: image(:, :), source(:)
      integer :: i, nobs, stat
      nobs = size(coordinates, 2)
      if (size(coordinates, 1) < 1 .or. size(coordinates, 1) > 3 .or. &
          (metric == metric_haversine .and. size(coordinates, 1) /= 2)) then
         call raise_error(error, error_input, "observation coordinates need 1 to 3 components, &
            &and exactly latitude and longitude for the metric 'haversine'")
         return
      end if
      self%metric = metric
      self%radius = radius
      self%period(:size(period)) = period
      self%is_periodic = any(period > 0.0_rk)
      call set_radius(self)
      allocate (position(3, nobs), stat=stat)
      if (stat == 0) then
         do i = 1, nobs
            position(:, i) = place(self, coordinates(:, i))
         end do
         call add_images(self, position, image, source, stat)
      end if
      if (stat == 0) call sort_by_cell(self, position, image, source, stat)
      if (stat /= 0) call raise_error(error, error_state, "not enough memory for the index of observations; use fewer &
         &observations")
   end subroutine index_create

   !> Append the images of observations that a search across the end of a periodic axis can meet.
   pure subroutine add_images(self, position, image, source, stat)
      class(observation_index_type), intent(in) :: self
      real(rk), allocatable, intent(inout) :: position(:, :) !! (3, nobs) in, (3, nimage) out [as coordinates]
      integer, allocatable, intent(out) :: image(:, :)       !! (3, nimage), periods that an image lies off
      integer, allocatable, intent(out) :: source(:)         !! (nimage), index of the observation
      integer, intent(out) :: stat                           !! not 0: not enough memory
      real(rk), allocatable :: larger(:, :)
      real(rk) :: reach
      integer :: first(3), i, last(3), n, nobs, pass, x, y, z
      nobs = size(position, 2)
      reach = self%radius*edge_margin
      first = 0
      where (self%period > 0.0_rk) first = -1
      last = -first
      stat = 0
      do pass = 1, 2 ! counts, then fills
         n = 0
         do z = first(3), last(3)
            do y = first(2), last(2)
               do x = first(1), last(1)
                  do i = 1, nobs
                     if (.not. all([x, y, z] == 0 .or. &
                                   (position(:, i) + real([x, y, z], rk)*self%period >= -reach .and. &
                                    position(:, i) + real([x, y, z], rk)*self%period <= self%period + reach))) cycle
                     n = n + 1
                     if (pass == 1) cycle
                     larger(:, n) = position(:, i)
                     image(:, n) = [x, y, z]
                     source(n) = i
                  end do
               end do
            end do
         end do
         if (pass == 2) exit
         allocate (larger(3, n), stat=stat)
         if (stat == 0) allocate (image(3, n), stat=stat)
         if (stat == 0) allocate (source(n), stat=stat)
         if (stat /= 0) return
      end do
      call move_alloc(larger, position)
   end subroutine add_images

   !> Square of the search radius in the space of the positions.
   pure subroutine set_radius(self)
      class(observation_index_type), intent(inout) :: self
      real(rk) :: chord
      if (self%metric == metric_haversine) then
         chord = 2.0_rk*earth_radius
         if (self%radius < pi*earth_radius) chord = chord*sin(self%radius/(2.0_rk*earth_radius))
         if (self%radius >= pi*earth_radius) chord = huge(1.0_rk)
      else
         chord = self%radius
      end if
      self%radius_squared = huge(1.0_rk)
      if (chord < sqrt(huge(1.0_rk))) self%radius_squared = chord*chord
   end subroutine set_radius

   !> Bounding box and number of cells: edges of at least the radius, and a bounded number in total.
   pure subroutine set_cells(self, position)
      class(observation_index_type), intent(inout) :: self
      real(rk), intent(in) :: position(:, :) !! (3, nobs) [m or as coordinates]
      real(rk) :: edge, extent(3)
      integer :: axes, i, limit
      self%origin = minval(position, dim=2)
      extent = maxval(position, dim=2) - self%origin
      axes = max(1, count(extent > 0.0_rk))
      limit = int((real(cells_per_observation, rk)*real(size(position, 2), rk))**(1.0_rk/real(axes, rk)))
      edge = sqrt(self%radius_squared)*edge_margin
      self%ncell = 1
      self%inverse_edge = 0.0_rk
      do i = 1, 3
         if (extent(i) <= edge) cycle
         self%ncell(i) = limit
         if (extent(i) < edge*real(limit, rk)) self%ncell(i) = int(extent(i)/edge)
         self%inverse_edge(i) = real(self%ncell(i), rk)/extent(i)
      end do
   end subroutine set_cells

   !> Counting sort; observations of a cell keep their order.
   subroutine sort_by_cell(self, position, image, source, stat)
      class(observation_index_type), intent(inout) :: self
      real(rk), intent(in) :: position(:, :) !! (3, nimage), of the observations [m or as coordinates]
      integer, intent(in) :: image(:, :)     !! (3, nimage), periods that an image lies off
      integer, intent(in) :: source(:)       !! (nimage), index of the observation
      integer, intent(out) :: stat           !! not 0: not enough memory
      real(rk), allocatable :: shifted(:, :)
      integer, allocatable :: cell(:), next(:)
      integer :: i, n
      n = size(source)
      allocate (shifted(3, n), stat=stat)
      if (stat == 0) allocate (cell(n), stat=stat)
      if (stat == 0) allocate (self%position(3, n), stat=stat)
      if (stat == 0) allocate (self%image(3, n), stat=stat)
      if (stat == 0) allocate (self%source(n), stat=stat)
      if (stat /= 0) return
      do i = 1, n
         shifted(:, i) = position(:, i) + real(image(:, i), rk)*self%period
      end do
      call set_cells(self, shifted)
      allocate (self%cell_start(product(self%ncell) + 1), stat=stat)
      if (stat /= 0) return
      do i = 1, n
         cell(i) = flat_cell(self, cell_of(self, shifted(:, i)))
      end do
      self%cell_start = 0
      do i = 1, n
         self%cell_start(cell(i) + 1) = self%cell_start(cell(i) + 1) + 1
      end do
      self%cell_start(1) = 1
      do i = 2, size(self%cell_start)
         self%cell_start(i) = self%cell_start(i) + self%cell_start(i - 1)
      end do
      allocate (next, source=self%cell_start)
      do i = 1, n
         self%source(next(cell(i))) = source(i)
         self%position(:, next(cell(i))) = position(:, i)
         self%image(:, next(cell(i))) = image(:, i)
         next(cell(i)) = next(cell(i)) + 1
      end do
   end subroutine sort_by_cell

   !> Find the observations within the radius of a point.
   pure subroutine index_search(self, coordinates, found, distance, nfound)
      class(observation_index_type), intent(in) :: self
      real(rk), intent(in) :: coordinates(:)  !! (ndim), the point [m, any length, or degree]
      integer, intent(inout) :: found(:)      !! indices of the observations, room for all of them
      real(rk), intent(inout) :: distance(:)  !! their distances [m or as coordinates]
      integer, intent(out) :: nfound          !! how many
      real(rk) :: point(3), square
      integer :: first(3), i, last(3), middle(3), y, z
      point = place(self, coordinates)
      middle = cell_of(self, point)
      first = max(middle - 1, 1)
      last = min(middle + 1, self%ncell)
      nfound = 0
      do z = first(3), last(3)
         do y = first(2), last(2)
            do i = self%cell_start(flat_cell(self, [first(1), y, z])), &
               self%cell_start(flat_cell(self, [last(1), y, z]) + 1) - 1
               if (self%is_periodic) then
                  square = nearest_image(self, i, point)
               else
                  square = (self%position(1, i) - point(1))**2 + (self%position(2, i) - point(2))**2 + &
                           (self%position(3, i) - point(3))**2
               end if
               if (square >= 0.0_rk .and. square <= self%radius_squared) then
                  nfound = nfound + 1
                  found(nfound) = self%source(i)
                  distance(nfound) = square
               end if
            end do
         end do
      end do
      do i = 1, nfound
         distance(i) = arc(self, sqrt(distance(i)))
      end do
      do i = 1, nfound ! rounding of root and arc must not push the border out of the radius
         distance(i) = min(distance(i), self%radius)
      end do
   end subroutine index_search

   !> Squared distance to an image; -1 for the images of an observation that are not its nearest.
   pure real(rk) function nearest_image(self, i, point) result(square)
      class(observation_index_type), intent(in) :: self
      integer, intent(in) :: i         !! sorted image
      real(rk), intent(in) :: point(3) !! [as coordinates]
      real(rk) :: offset(3)
      integer :: turns(3)
      offset = self%position(:, i) - point
      turns = 0
      where (self%period > 0.0_rk) turns = -nint(offset/self%period)
      square = -1.0_rk
      if (all(turns == self%image(:, i))) square = sum((offset + real(turns, rk)*self%period)**2)
   end function nearest_image

   !> Distance between two places.
   pure real(rk) function index_distance(self, from, to) result(distance)
      class(observation_index_type), intent(in) :: self
      real(rk), intent(in) :: from(:) !! (ndim) [m, any length, or degree]
      real(rk), intent(in) :: to(:)   !! (ndim) [as from]
      real(rk) :: offset(3)
      offset = place(self, to) - place(self, from)
      where (self%period > 0.0_rk) offset = offset - anint(offset/self%period)*self%period
      distance = arc(self, norm2(offset))
   end function index_distance

   !> Distance along the surface where the metric asks for it.
   pure elemental real(rk) function arc(self, chord)
      class(observation_index_type), intent(in) :: self
      real(rk), intent(in) :: chord !! straight distance [m or as coordinates]
      arc = chord
      if (self%metric == metric_haversine) arc = 2.0_rk*earth_radius*asin(min(chord/(2.0_rk*earth_radius), 1.0_rk))
   end function arc

   !> Point in space of a coordinate vector; on periodic axes within the first period.
   pure function place(self, coordinates) result(point)
      class(observation_index_type), intent(in) :: self
      real(rk), intent(in) :: coordinates(:) !! coordinates [m, any length, or degree]
      real(rk) :: point(3)                   !! position [m or as coordinates]
      real(rk) :: latitude, longitude
      integer :: i
      point = 0.0_rk
      if (self%metric == metric_haversine) then
         latitude = coordinates(1)*pi/180.0_rk
         longitude = coordinates(2)*pi/180.0_rk
         point = earth_radius*[cos(latitude)*cos(longitude), cos(latitude)*sin(longitude), sin(latitude)]
      else
         point(:size(coordinates)) = coordinates
         do i = 1, 3
            if (self%period(i) > 0.0_rk) point(i) = modulo(point(i), self%period(i))
         end do
      end if
   end function place

   !> Cell of a point; a point outside the box gets the number before the first or after the last cell.
   pure function cell_of(self, point) result(cell)
      class(observation_index_type), intent(in) :: self
      real(rk), intent(in) :: point(3) !! position [m or as coordinates]
      integer :: cell(3)               !! cell, 0 to ncell + 1
      cell = floor(min(max((point - self%origin)*self%inverse_edge, -1.0_rk), real(self%ncell, rk))) + 1
   end function cell_of

   !> Position of a cell in the list.
   pure integer function flat_cell(self, cell)
      class(observation_index_type), intent(in) :: self
      integer, intent(in) :: cell(3) !! cell, clamped to 1 to ncell
      integer :: c(3)
      c = min(max(cell, 1), self%ncell)
      flat_cell = c(1) + self%ncell(1)*(c(2) - 1 + self%ncell(2)*(c(3) - 1))
   end function flat_cell

end module pl_observation_search
